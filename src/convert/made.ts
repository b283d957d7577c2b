/** A part of our configuration, and of which setting of the input it was made. */
import type { Setting } from './setting.ts'

export class Made {
  value: unknown
  readonly from: Setting
  /** It was taken out again. */
  dropped = false

  constructor(value: unknown, from: Setting) {
    this.value = value
    this.from = from
  }
}

export function made(value: unknown, from: Setting): Made {
  return new Made(value, from)
}
