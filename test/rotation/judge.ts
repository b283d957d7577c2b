/**
 * The judge: what may have become of the lines of one log, whatever rotated it and whatever failed meanwhile.
 *
 * Lines are numbered and of one length, so bytes follow from lines. A line may be missing only if it lay nowhere on the
 * volume any more when it could be read again (`gone`), it may come twice only after a SIGKILL and under the id it had,
 * and what comes for the first time comes in the order it was written. The ledger counts what is missing as lost
 * as far as it was seen, and nothing else.
 */
import type { Test } from 'tap'
import type { Statement } from '../../src/ledger.ts'
import type { Received } from '../program.ts'

/** Bytes of a line, its end included. */
export const LINE = 120

/** The line of this number in the log of this name. */
export function lineOf(name: string, number: number): string {
  return `${String(number).padStart(8, '0')} ${name} `.padEnd(LINE - 1, 'the rest of the line is the same in all ')
}

/** What is known of a log when everything has ended. */
export interface Case {
  readonly name: string
  /** How many lines were written: they are numbered from 0. */
  readonly written: number
  /** Numbers that could not be read any more when the fault was over, as the volume said. */
  readonly gone: ReadonlySet<number>
  /** All of it was seen before it was gone: so the ledger has to count it. */
  readonly seen: boolean
  /** Killed: what was acknowledged in the last second is sent again, or if it is gone, nobody knows that it came. */
  readonly killed: boolean
  /** `log`: over all files that carried the followed name; `file`: within each path, where several are followed. */
  readonly order: 'log' | 'file'
  readonly received: readonly Received[]
  readonly statement: Statement
  /** NUL bytes that the application left by writing behind a truncated end. */
  readonly holes: number
  /** What the tool itself complained of. */
  readonly refusals: readonly string[]
}

export interface Verdict {
  missing: number[]
  repeated: number[]
  misplaced: number[]
  strange: string[]
}

export function judge({ name, written, gone, killed, order, received }: Case): Verdict {
  const verdict: Verdict = { missing: [], repeated: [], misplaced: [], strange: [] }
  const ids = new Map<number, string | undefined>()
  const last = new Map<string, number>()
  for (const { message, file, id } of received) {
    const number = Number(message.slice(0, 8))
    if (!(number < written) || message !== lineOf(name, number)) {
      verdict.strange.push(message.slice(0, 60))
      continue
    }
    if (ids.has(number)) {
      if (!killed || ids.get(number) !== id || id === undefined) verdict.repeated.push(number)
      continue
    }
    ids.set(number, id)
    const of = order === 'log' ? '' : file
    if (number < (last.get(of) ?? 0)) verdict.misplaced.push(number)
    last.set(of, Math.max(number, last.get(of) ?? 0))
  }
  for (let number = 0; number < written; number++) {
    if (!ids.has(number) && !gone.has(number)) verdict.missing.push(number)
  }
  return verdict
}

/** `3 (7, 8, 12)`, or of many the first and the last. */
function some(numbers: readonly number[]): string {
  const shown = numbers.length > 4 ? `${numbers[0]} to ${numbers.at(-1)}` : numbers.join(', ')
  return numbers.length === 0 ? 'none' : `${numbers.length} (${shown})`
}

/** Asserts all of it, so that a failure says at once what the log lost, got twice or got in the wrong order. */
export function assess(t: Test, subject: Case): void {
  const { written, seen, killed, gone, received, statement, refusals, holes } = subject
  const { missing, repeated, misplaced, strange } = judge(subject)
  t.equal(some(missing), 'none', `missing of ${written} lines`)
  t.equal(some(repeated), 'none', 'lines that come twice')
  t.equal(some(misplaced), 'none', 'lines behind later ones')
  t.strictSame(strange.slice(0, 3), [], 'records that are no lines of the log')
  t.strictSame(refusals, [], 'what the tool complains of')
  const came = new Set(received.map(({ message }) => message)).size - new Set(strange).size
  const { delivered, rejected, dropped, inFlight, lostBytes } = statement
  const { lines } = delivered
  if (killed && lines < came) t.ok(came - lines <= gone.size, `${came} lines came, ${lines} are booked as delivered`)
  else t.equal(lines, came, 'lines booked as delivered')
  const { padding = { lines: 0, bytes: 0 }, ...others } = dropped
  t.equal(
    delivered.bytes + padding.bytes,
    lines * LINE + holes,
    'bytes booked as delivered, or as the padding of holes',
  )
  const nothing = { rejected: {}, dropped: {}, inFlight: { lines: 0, bytes: 0 } }
  t.strictSame({ rejected, dropped: others, inFlight }, nothing, 'nothing else became of a line')
  const lost = (written - lines) * LINE
  if (seen || lost === 0) t.equal(lostBytes, lost, 'bytes booked as lost are those that did not come')
  else t.ok(lostBytes <= lost, `${lostBytes} bytes booked as lost are at most the ${lost} that did not come`)
}
