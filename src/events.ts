/**
 * Everything that the program can log: a closed set of events, one row each, with its level, how often it is logged,
 * what it means and what to do. `docs/troubleshooting.md` is made of these rows.
 */
import { BACKENDS } from './events/backends.ts'
import { FILES } from './events/files.ts'
import { PROCESS } from './events/process.ts'
import type { Level } from './events/rule.ts'
import { STATE } from './events/state.ts'

export const EVENTS = { ...PROCESS, ...BACKENDS, ...FILES, ...STATE } as const

export type LogEvent = keyof typeof EVENTS

/** The events of a level. */
export type LogEventAt<L extends Level> = {
  [E in LogEvent]: (typeof EVENTS)[E]['level'] extends L ? E : never
}[LogEvent]
