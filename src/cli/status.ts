/** `logshipper status`: what the running shipper is doing, once or again and again. */
import type { Status } from '../server/admin.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import type { Streams } from './output.ts'
import { show } from './status/text.ts'

export interface StatusOptions {
  readonly admin?: string | undefined
  readonly json?: boolean | undefined
}

/** Of the admin port: text for a person, or JSON as it came. */
export type Looked = { readonly kind: 'ok'; readonly text: string } | { readonly kind: 'failed'; readonly why: string }

/** Never rejects. */
export async function look({ admin: address = DEFAULT_ADMIN, json = false }: StatusOptions): Promise<Looked> {
  const asked = await ask(address, json ? '/status' : '/status?worst')
  if (asked.kind === 'failed') return asked
  try {
    const text = show(JSON.parse(asked.body) as Status)
    return { kind: 'ok', text: json ? asked.body : text }
  } catch {
    return { kind: 'failed', why: `${address} is not the admin port of a logshipper` }
  }
}

/** Resolves to the exit code. */
export async function status(options: StatusOptions, { out, err }: Streams): Promise<number> {
  const looked = await look(options)
  if (looked.kind === 'failed') {
    err.write(`logshipper: ${looked.why}\n`)
    return 1
  }
  out.write(looked.text)
  return 0
}
