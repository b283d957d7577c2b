/** Much at once: a file larger than any memory, and a line that is. Memory does not depend on either. */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Stage, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Counter, LINE, LONG, MIB, start, Watch, write } from './scale.ts'

t.setTimeout(LONG ? 1_800_000 : 170_000)

const BACKLOG = LONG ? 5 * 1024 * MIB : 192 * MIB

t.test(`a backlog of ${BACKLOG / MIB} MiB`, async t => {
  const dir = scratch(t, { logs: {} })
  const [logs, state] = [join(dir, 'logs'), join(dir, 'state')]
  mkdirSync(state)
  const { lines } = await write(t, { path: join(logs, 'app.log'), rate: 0, lines: BACKLOG / LINE })
  const counter = await Counter.start(t)
  const program = await start(t, { logs, state, url: counter.url })
  const watch = new Watch(t, program)
  t.ok(
    await until(() => counter.lines >= lines, LONG ? 1200 : 150),
    `all of it came: ${counter.lines} of ${lines} lines`,
  )
  watch.bounded(t, `${BACKLOG / MIB} MiB`)
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.strictSame([counter.missing(lines), counter.repeated, counter.wrong], [[], 0, 0])
  t.equal(ledger[0]!.statement.delivered.bytes, BACKLOG)
})

t.test('one line of 500 MiB between two short ones, and another without an end', async t => {
  const stage = await Stage.set(t)
  const huge = 500 * MIB
  const file = openSync(stage.log, 'a')
  t.teardown(() => closeSync(file))
  const fill = () => {
    const piece = Buffer.alloc(MIB, 'x')
    for (let written = 0; written < huge; written += piece.length) writeSync(file, piece)
  }
  writeSync(file, 'before\n')
  fill()
  writeSync(file, '\nafter\n')
  const program = await start(t, {
    logs: stage.logs,
    state: stage.state,
    url: stage.receiver.url,
    env: { LOGSHIPPER_BACKEND_FORMAT: 'ndjson' },
  })
  const watch = new Watch(t, program)
  t.ok(await until(() => stage.receiver.lines.includes('after')), 'what follows it comes')
  fill()
  t.ok(
    await until(async () => {
      const { files } = JSON.parse((await program.get('/status', 'adminPort')).text) as { files: { size: number }[] }
      return files[0]?.size === statSync(stage.log).size
    }),
    'its growth is seen',
  )
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const [before, cut, after, last] = stage.receiver.records
  t.strictSame([before?.message, after?.message], ['before', 'after'])
  t.match(
    [cut, last],
    [
      { truncated: true, originalBytes: huge },
      { truncated: true, originalBytes: huge, partial: true },
    ],
  )
  t.equal(stage.receiver.records.length, 4)
  t.equal(ledger[0]!.statement.delivered.bytes, statSync(stage.log).size, 'every byte is accounted for')
  watch.bounded(t, 'lines of 500 MiB')
})
