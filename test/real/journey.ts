/** Numbered lines on their way to a real server, with a SIGKILL in the middle, and what must be said of those that arrived. */
import type { Test } from 'tap'
import { type Program, Stage, until } from '../program.ts'

/** What the program says of itself: the life that was killed, and the one that came to an orderly end. */
export interface Journey {
  readonly before: number
  readonly delivered: number
  readonly rejected: number
}

async function delivered(program: Program): Promise<number> {
  const { text } = await program.get('/metrics')
  return Number(/^logshipper_delivered_lines_total\{[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0)
}

/** Ships the lines 0 to `count`, and kills the shipper when some of them are there. */
export async function travel(t: Test, count: number, env: Record<string, string>): Promise<Journey> {
  const stage = await Stage.set(t, {
    LOGSHIPPER_POD_UID: 'a-pod',
    // Small requests, so that death comes between two of them.
    LOGSHIPPER_BACKEND_BATCH_MAX_RECORDS: '2000',
    ...env,
  })
  const first = await stage.start()
  stage.write(count / 2)
  t.ok(await until(async () => (await delivered(first)) > 0, 60), 'some are there before the end')
  const before = await delivered(first)
  await first.kill('SIGKILL')
  stage.write(count / 2)
  const second = await stage.start({ LOGSHIPPER_DRAIN_GRACE_PERIOD: '120s' })
  const { code, ledger } = await second.kill('SIGTERM')
  t.equal(code, 0, 'everything was drained')
  const lines = (outcomes: Record<string, { readonly lines: number }>): number =>
    Object.values(outcomes).reduce((sum, { lines }) => sum + lines, 0)
  return {
    before,
    delivered: ledger.reduce((sum, { statement }) => sum + statement.delivered.lines, 0),
    rejected: ledger.reduce((sum, { statement }) => sum + lines(statement.rejected), 0),
  }
}

/** Every line is there; some are there again, but for no more than the death can excuse. */
export function arrived(t: Test, messages: readonly string[], count: number, journey: Journey): void {
  const torn = messages.filter(message => !/^\d{8} a line of the application$/.test(message))
  t.strictSame(torn, [], 'nothing is torn')
  const numbers = new Set(messages.map(message => Number(message.slice(0, 8))))
  t.comment(
    `${numbers.size} unique, ${messages.length} in all; by its own account ${journey.before} before the SIGKILL, ${journey.delivered} in the end`,
  )
  t.equal(numbers.size, count, 'every line is there')
  t.equal(Math.max(...numbers), count - 1)
  t.equal(journey.rejected, 0)
  t.ok(messages.length <= count + count / 2, 'what is there twice is what the first life had sent')
  t.ok(messages.length >= journey.delivered, 'all that it calls delivered is there')
}

/** In the order of their times the lines are in the order in which they were written, but for one step back at the death. */
export function ordered(t: Test, messages: readonly string[]): void {
  const back = messages.filter((message, at) => at > 0 && message <= messages[at - 1]!)
  t.ok(back.length <= 1, `the order is kept: ${back.length} steps back`)
}
