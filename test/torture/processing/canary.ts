/**
 * The canary: looks for planted secrets, or parts of them, in everything that the program ever wrote or sent.
 *
 * A secret counts as seen if some letters and digits of it in a row are: so many that no other text has them by chance.
 * Pins and unpacked archives hold the application's own bytes, as is documented: those directories are left out, by name.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Secret } from './records.ts'

/** Letters and digits in a row of which none may be seen; of numbers alone more, for there are many in a log. */
const WINDOW = 10
const OF_DIGITS = 13
/** Directories of the state that hold the application's own bytes. */
const OWN_BYTES: ReadonlySet<string> = new Set(['pins', 'unpacked'])

export class Canary {
  readonly #windows = new Map<string, string>()
  readonly #places: { readonly name: string; readonly text: string }[] = []

  plant(secrets: readonly Secret[]): void {
    for (const { text } of secrets) {
      // Of a token the first part is the same in all.
      const run = (text.match(/[A-Za-z0-9]+/g) ?? []).slice(text.startsWith('eyJ') ? 1 : 0)
      for (const word of run) {
        for (const window of windowsOf(word)) this.#windows.set(window, text)
      }
    }
  }

  /** Something that was sent or written. */
  heard(name: string, text: string): void {
    this.#places.push({ name, text })
  }

  /** All files of the state directory but those that hold the application's own bytes. */
  searchState(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory() && !OWN_BYTES.has(entry.name)) this.searchState(path)
      if (entry.isFile()) this.heard(path, readFileSync(path, 'latin1'))
    }
  }

  /** Where which secret was seen. */
  *seen(): Generator<{ readonly name: string; readonly secret: string; readonly around: string }> {
    for (const { name, text } of this.#places) {
      for (const match of text.matchAll(/[A-Za-z0-9]{10,}/g)) {
        const window = windowsOf(match[0]).find(each => this.#windows.has(each))
        if (window === undefined) continue
        const around = text.slice(Math.max(0, match.index - 60), match.index + 80)
        yield { name, secret: this.#windows.get(window)!, around }
        break
      }
    }
  }
}

function windowsOf(word: string): string[] {
  const all: string[] = []
  for (let at = 0; at + WINDOW <= word.length; at++) {
    const window = word.slice(at, at + WINDOW)
    if (!/^\d+$/.test(window)) all.push(window)
    else if (at + OF_DIGITS <= word.length) all.push(word.slice(at, at + OF_DIGITS))
  }
  return all
}
