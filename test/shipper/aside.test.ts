/** Files that are set aside before they are written, and holes: what arrives, and what the accounts say. */
import { closeSync, ftruncateSync, futimesSync, openSync, truncateSync, writeSync } from 'node:fs'
import t from 'tap'
import { Stage, until } from '../program.ts'

const MIB = 1024 ** 2

async function metric(program: { get(path: string): Promise<{ text: string }> }, name: string): Promise<number> {
  const { text } = await program.get('/metrics')
  return Number(new RegExp(`^logshipper_${name}\\{.*\\} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
}

t.test('a file that is set aside, written in place and cut to its end loses nothing and has lost nothing', async t => {
  const stage = await Stage.set(t)
  const fd = openSync(stage.log, 'w')
  ftruncateSync(fd, 32 * MIB)
  const program = await stage.start()
  let at = 0
  for (let n = 0; n < 40; n++) {
    const lines = stage.take(5)
    at += writeSync(fd, lines, at)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  t.ok(await stage.arrived())
  t.ok(await until(async () => (await metric(program, 'lag_bytes')) === 0), 'what is set aside is not behind')
  ftruncateSync(fd, at)
  at += writeSync(fd, stage.take(1), at)
  closeSync(fd)
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.match(ledger[0]!.statement, { read: { bytes: at }, dropped: {}, lostBytes: 0 })
  stage.complete(t)
})

t.test('what is written through a mapping arrives without a new time, and goes on after a restart', async t => {
  const stage = await Stage.set(t)
  const fd = openSync(stage.log, 'w')
  ftruncateSync(fd, 4 * MIB)
  futimesSync(fd, 1, 1)
  let at = 0
  const write = () => {
    at += writeSync(fd, stage.take(1), at)
    futimesSync(fd, 1, 1)
  }
  const first = await stage.start()
  for (let n = 0; n < 5; n++) {
    write()
    t.ok(await stage.arrived())
  }
  const { code, ledger } = await first.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(ledger[0]!.statement.read.bytes, at, 'the room behind it is left for whoever goes on there')
  write()
  const second = await stage.start()
  write()
  t.ok(await stage.arrived())
  t.equal((await second.kill('SIGTERM')).code, 0)
  closeSync(fd)
  stage.complete(t)
})

t.test('a line behind a hole of gigabytes arrives, and the hole is padding', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const fd = openSync(stage.log, 'w')
  const hole = 4096 * MIB
  writeSync(fd, stage.take(2), hole)
  closeSync(fd)
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.strictSame(ledger[0]!.statement.dropped, { padding: { lines: 0, bytes: hole } })
  stage.complete(t)
})

t.test('a sparse file without an end of a line is no reason not to end, nor in the way of others', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const sparse = stage.log.replace('app.log', 'lastlog.log')
  closeSync(openSync(sparse, 'w'))
  truncateSync(sparse, 8192 * MIB)
  stage.write(3)
  t.ok(await stage.arrived())
  const { code } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t)
})
