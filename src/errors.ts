/**
 * The one family of errors that this program throws on purpose.
 *
 * Callers branch on `code`, never on the message. Expected outcomes (a file that is not there, a response that says
 * no) are values; what is thrown here is a bug, a broken contract or a configuration that cannot be used.
 * No message ever holds log content or a secret.
 */
import { constants } from 'node:os'

export type ErrorCode =
  /** The configuration or the command line cannot be used; `problems` says where and why. */
  | 'ERR_CONFIG'
  /** An invariant of the program is broken: always a bug of ours. */
  | 'ERR_INVARIANT'
  /** A port, a directory or a file that the program needs to start is not available. */
  | 'ERR_START'

export class ShipperError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ShipperError'
    this.code = code
  }
}

/** Throws `ERR_INVARIANT` unless `holds`. */
export function invariant(holds: boolean, message: string): asserts holds {
  if (!holds) throw new ShipperError('ERR_INVARIANT', message)
}

/** The system's error code (`ENOENT`, `UND_ERR_SOCKET` …) of anything thrown, or `UNKNOWN`. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN'
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  if (typeof code === 'string') return named(code)
  return cause === undefined ? 'UNKNOWN' : codeOf(cause)
}

/** libuv has no name for some errors of the system, a quota that is used up (EDQUOT) among them. */
function named(code: string): string {
  const number = /^Unknown system error -(\d+)$/.exec(code)?.[1]
  if (number === undefined) return code
  return Object.entries(constants.errno).find(([, each]) => each === Number(number))?.[0] ?? `ERRNO_${number}`
}
