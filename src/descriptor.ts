/**
 * Descriptors that were inherited, opened anew: whether a descriptor blocks is a property of the open file description,
 * which every process that inherited it shares.
 */
import { constants, openSync } from 'node:fs'

/** A non-blocking descriptor of the same pipe or terminal, for writing. Throws where that is not permitted. */
export function reopened(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
}
