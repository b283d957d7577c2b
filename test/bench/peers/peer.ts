/**
 * A peer: another shipper, run over the same files into the same sink as we are, once with its defaults and once tuned.
 *
 * With defaults it is told what the task needs (which file, from its beginning; where to; in which format; not to lose
 * what cannot be sent yet) and nothing else. Tuned it has the largest batches that its documentation advises, and sends as
 * often as we do. Every configuration that has run is kept, for a ratio without both configurations says nothing.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Subject } from '../measure.ts'
import type { Work } from '../works.ts'

export const SETUPS = ['default', 'tuned'] as const
export type Setup = (typeof SETUPS)[number]

/** The index that everybody writes to, and the one whose name the answers hold. */
export const INDEX = 'logs-app-default'

export interface Task {
  readonly work: Work
  readonly setup: Setup
  readonly path: string
  readonly port: number
  /** For configuration and state; empty. */
  readonly folder: string
  /** Lines that are objects of JSON become their records. */
  readonly objects?: boolean
}

export interface Command {
  readonly options: readonly string[]
  /** Files of the folder. */
  readonly files: Readonly<Record<string, string>>
}

export interface Peer {
  readonly name: string
  readonly version: string
  readonly binary: string
  readonly works: readonly Work[]
  /** It can read objects of JSON. */
  readonly objects: boolean
  /** It sends a request for each line: a backlog of gigabytes would take hours. */
  single(setup: Setup, work: Work): boolean
  command(task: Task): Command
}

const ran = new Map<string, string>()

/** What whoever has run was configured with: by its text who it was, and for what. */
export function configurations(): ReadonlyMap<string, string> {
  return ran
}

/** Notes a configuration that has run. */
export function note(who: string, text: string): void {
  if (!ran.has(text)) ran.set(text, who)
}

export const fullName = ({ name, version }: Peer, setup: Setup): string => `${name} ${version}, ${setup}`

export function start(peer: Peer, task: Task): Subject {
  const { options, files } = peer.command(task)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(task.folder, name), text)
  const places = { [task.folder]: 'DIR', [task.path]: 'FILE', [`:${task.port}`]: ':PORT', [`"${task.port}"`]: '"PORT"' }
  let text = Object.values(files).join('\n')
  for (const [place, word] of Object.entries(places)) text = text.replaceAll(place, word)
  note(`${fullName(peer, task.setup)}: ${task.work}`, text.replaceAll(/\bPort \d+/g, 'Port PORT'))
  // For binaries that lie with their libraries in a directory of their own.
  const libraries = process.env['LD_LIBRARY_PATH']
  return new Subject(peer.binary, options, libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries })
}

export function versionOf(binary: string, option: string): string {
  const said = execFileSync(binary, [option], { encoding: 'utf8' })
  return /\d+\.\d+(?:\.\d+)*/.exec(said)?.[0] ?? 'unknown'
}
