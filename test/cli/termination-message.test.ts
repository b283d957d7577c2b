import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { terminationMessage, writeTerminationMessage } from '../../src/cli/termination-message.ts'
import { emptyOutcome, type Statement } from '../../src/ledger.ts'
import { scratch } from '../scratch.ts'

const none = { lines: 0, bytes: 0 }
const statement = (more: Partial<Statement> = {}): Statement => ({
  ...emptyOutcome(),
  read: none,
  inFlight: none,
  lostBytes: 0,
  truncatedLines: 0,
  repairedSequences: 0,
  unparsedRecords: 0,
  unpartitionedRecords: 0,
  untimedRecords: { missing: 0, unreadable: 0, old: 0, ahead: 0 },
  unlevelledRecords: { missing: 0, unknown: 0 },
  generations: 1,
  ...more,
})
const line = (more: Partial<Statement> = {}) => ({ source: 'app', backend: 'main', statement: statement(more) })

t.test('after a whole drain it says so, and what was delivered', t => {
  const message = terminationMessage({ complete: true, left: [] }, [line({ delivered: { lines: 3, bytes: 40 } })])
  t.equal(message, 'drained: everything was settled\napp → main: delivered 3 lines, 40 bytes\n')
  t.end()
})

t.test('a checkpoint that was not written in time is named before the accounts', t => {
  const [first, second] = terminationMessage({ complete: true, left: [] }, [line()], { kind: 'late' }).split('\n')
  t.equal(first, 'drained: everything was settled')
  t.equal(second, 'the last checkpoint was not written in time: a restart resends unacknowledged data')
  t.end()
})

t.test('a checkpoint that was not written is named with the reason and with what is resent', t => {
  const lastSave = { kind: 'failed', code: 'ENOSPC', unsavedBytes: 1200 } as const
  const [first, second] = terminationMessage({ complete: true, left: [] }, [line()], lastSave).split('\n')
  t.equal(first, 'drained: everything was settled')
  t.equal(second, 'the last checkpoint was not written (ENOSPC): a restart resends 1200 bytes')
  t.end()
})

t.test('everything that is not delivered is named with its reason', t => {
  const message = terminationMessage({ complete: true, left: [] }, [
    line({
      rejected: { '400': { lines: 2, bytes: 20 }, '413': { lines: 1, bytes: 5 } },
      dropped: { padding: { lines: 0, bytes: 100 } },
      inFlight: { lines: 4, bytes: 44 },
      lostBytes: 7,
    }),
  ])
  t.match(message, 'rejected 3 lines (400, 413); dropped 0 lines, 100 bytes (padding); in flight 4 lines; lost 7 bytes')
  t.end()
})

t.test('what is left comes by size, and what does not fit into 4096 bytes is counted', t => {
  const left = Array.from({ length: 300 }, (_, n) => ({
    source: 'app',
    backend: 'main',
    path: `/logs/ünï-${n}.log`,
    bytes: n + 1,
  }))
  const message = terminationMessage({ complete: false, left }, [line()])
  t.ok(Buffer.byteLength(message) <= 4096)
  const lines = message.trimEnd().split('\n')
  t.equal(lines[0], `not drained: ${(300 * 301) / 2} bytes left on disk`)
  t.match(lines[2], /^left: 300 bytes of \/logs\/ünï-299.log \(app → main\)$/)
  const shown = lines.filter(text => text.startsWith('left: ')).length
  t.equal(lines.at(-1), `… and ${300 - shown} more`)
  t.ok(shown > 40)
  t.end()
})

t.test('a path cannot reach the terminal with control characters', t => {
  const left = [{ source: 'app', backend: 'main', path: '/logs/\u001b[2J\n\u0007.log', bytes: 1 }]
  const message = terminationMessage({ complete: false, left }, [])
  t.notOk([...message.replaceAll('\n', '')].some(sign => sign < ' '))
  t.equal(message.split('\n').length, 3)
  t.end()
})

t.test('the message is written only where there is a place for it', t => {
  const path = join(scratch(t), 'termination-log')
  t.equal(writeTerminationMessage(path, 'goodbye'), false)
  writeFileSync(path, 'from an earlier life, and longer')
  t.equal(writeTerminationMessage(path, 'goodbye'), true)
  t.equal(readFileSync(path, 'utf8'), 'goodbye')
  t.equal(writeTerminationMessage(join(path, '..'), 'goodbye'), false, 'what cannot be written harms nothing')
  t.end()
})
