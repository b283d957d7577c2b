/**
 * A preview: what matches a path of a source now. Looks at a bounded number of names, opens what matches to know whether it
 * would be followed, reads none of it, and keeps nothing.
 */
import { closeSync } from 'node:fs'
import type { Logger } from '../../log.ts'
import { Tree } from '../directories/tree.ts'
import { limitsFor } from '../files/limits.ts'
import { openRegular } from '../files/open.ts'
import type { SourceOptions } from '../options.ts'

export interface Preview {
  /** A file matches that can be followed. */
  readonly matches: boolean
  /** The first that matches and cannot be followed, and why. */
  readonly refused: { readonly path: string; readonly reason: string } | undefined
  /** Whatever there will be, `exclude` leaves nothing of it. */
  readonly excluded: boolean
  /** Everything was looked at. */
  readonly whole: boolean
  /** What that took: names that were read, or as much. */
  readonly steps: number
}

const SILENT: Logger = { error() {}, warn() {}, info() {}, debug() {} }
/** Names that are tried. */
const MOST = 100

/** `most`: steps. */
export function preview(source: SourceOptions, path: string, most: number): Preview {
  const tree = new Tree({
    sources: [{ ...source, paths: [path] }],
    limits: { ...limitsFor(), files: MOST, others: MOST },
    log: SILENT,
    now: () => Math.floor(performance.now()),
    swapped() {},
  })
  const excluded = tree.roots.length === 0
  let refused: Preview['refused']
  let tried = 0
  let steps = 0
  for (const directory of tree) {
    if (!tree.check(directory)) continue
    for (const step of tree.list(directory)) {
      steps += step
      for (const found of [...tree.found.values()].slice(tried)) {
        tried++
        const opened = openRegular(found.path, [found.root])
        if (opened.kind === 'open') {
          closeSync(opened.fd)
          return { matches: true, refused, excluded, whole: true, steps }
        }
        if (opened.kind === 'refused') refused ??= { path: found.path, reason: opened.reason }
      }
      if (steps > most) return { matches: false, refused, excluded, whole: false, steps }
    }
  }
  return { matches: false, refused, excluded, whole: !tree.hungry, steps }
}
