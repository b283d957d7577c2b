/**
 * Compressed files that the pattern matches: they are no text, so they are refused by name, whatever they are called;
 * what is unread in them is found all the same.
 */
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Program, refuse, Stage, until } from '../program.ts'

t.jobs = 2
t.setTimeout(170_000)

const codecs = { gzip: gzipSync, zstd: zstdCompressSync } as const
const EXTENSION = { gzip: 'gz', zstd: 'zst' } as const

/** The reasons for which paths are refused, by path. */
async function refused(program: Program): Promise<Map<string, string>> {
  const { refused } = JSON.parse((await program.get('/status', 'adminPort')).text) as {
    refused: { path: string; reason: string }[]
  }
  return new Map(refused.map(({ path, reason }) => [path, reason]))
}

const isRefused = (program: Program, path: string): Promise<boolean> =>
  until(async () => /compressed/.test((await refused(program)).get(path) ?? ''))

async function finish(t: Test, stage: Stage, program: Program): Promise<void> {
  t.ok(await stage.arrived(), 'all lines arrive')
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t, { ordered: false })
  const { delivered, lostBytes } = ledger[0]!.statement
  t.strictSame({ lines: delivered.lines, lostBytes }, { lines: stage.written, lostBytes: 0 })
}

const old = (count: number) => Array.from({ length: count }, (_, n) => `an old line ${n} ${n * n}\n`).join('')

for (const codec of ['gzip', 'zstd'] as const) {
  const pack = codecs[codec]

  t.test(`${codec}: one that lies there at the start, and one without its extension`, async t => {
    const stage = await Stage.set(t)
    stage.env['LOGSHIPPER_SOURCE_PATHS'] = `${stage.logs}/*`
    const archives = [`app.log.2.${EXTENSION[codec]}`, 'app.log.3'].map(name => join(stage.logs, name))
    for (const path of archives) writeFileSync(path, pack(old(500)))
    stage.write(50)
    const program = await stage.start()
    t.ok(await stage.arrived())
    for (const path of archives) t.ok(await isRefused(program, path), `${path} is refused as a compressed file`)
    await finish(t, stage, program)
  })

  t.test(`${codec}: one that is seen empty and written piece by piece`, async t => {
    const stage = await Stage.set(t)
    stage.env['LOGSHIPPER_SOURCE_PATHS'] = `${stage.log}*`
    const program = await stage.start()
    stage.write(500)
    t.ok(await stage.arrived())
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(10)
    t.ok(await stage.arrived())
    const path = `${stage.log}.1.${EXTENSION[codec]}`
    const archive = pack(readFileSync(`${stage.log}.1`))
    writeFileSync(path, '')
    const page = async () => (await program.get('/status', 'adminPort')).text
    await until(async () => (await page()).includes(path), 3)
    for (let at = 0; at < archive.length; at += 3) {
      appendFileSync(path, archive.subarray(at, at + 3))
      if (at < 30 || at % 99 === 0) await new Promise(resolve => setTimeout(resolve, 15))
    }
    rmSync(`${stage.log}.1`)
    stage.write(10)
    t.ok(await isRefused(program, path), 'it is refused as a compressed file')
    await finish(t, stage, program)
  })

  t.test(
    `${codec}: rotated, compressed and in the pattern while the program is down: what is unread in it comes`,
    async t => {
      const stage = await Stage.set(t)
      stage.env['LOGSHIPPER_SOURCE_PATHS'] = `${stage.log}*`
      const first = await stage.start()
      stage.write(100)
      t.ok(await stage.arrived())
      t.equal((await first.kill('SIGTERM')).code, 0)
      for (const n of [2, 1]) {
        stage.write(50)
        writeFileSync(`${stage.log}.${n}.${EXTENSION[codec]}`, pack(readFileSync(stage.log)))
        rmSync(stage.log)
      }
      stage.write(50)
      const next = await stage.start()
      t.ok(await stage.arrived())
      for (const n of [2, 1]) t.ok(await isRefused(next, `${stage.log}.${n}.${EXTENSION[codec]}`))
      await finish(t, stage, next)
    },
  )
}

t.test(
  'one that was cut off, of a file that was never seen: it is looked into until it does not change any more',
  async t => {
    const stage = await Stage.set(t)
    stage.env['LOGSHIPPER_SOURCE_PATHS'] = stage.log
    const program = await stage.start()
    stage.write(50)
    t.ok(await stage.arrived())
    renameSync(stage.log, `${stage.log}.1`)
    const archive = gzipSync(Buffer.from(old(50_000)))
    writeFileSync(`${stage.log}.2.gz`, archive.subarray(0, archive.length / 2))
    stage.write(50)
    const damaged = () => program.said.filter(({ event }) => event === 'archive_damaged')
    t.ok(await until(() => damaged().length > 0), 'it is told')
    t.strictSame(damaged()[0]?.['archive'], `${stage.log}.2.gz`)
    t.ok(await stage.arrived(), 'what was written after it arrives')
    writeFileSync(`${stage.log}.2.gz`, gzipSync(Buffer.from(stage.take(20))))
    renameSync(stage.log, `${stage.log}.3`)
    stage.write(20)
    t.ok(await stage.arrived(), 'once it is whole it is read with the next rotation')
    await finish(t, stage, program)
  },
)

t.test(
  'one that was written over that of a rotation before: its lines come behind those of the file before',
  async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_MEMORY_BUDGET: '4MiB' })
    stage.env['LOGSHIPPER_SOURCE_PATHS'] = stage.log
    const program = await stage.start()
    const rotate = () => {
      writeFileSync(`${stage.log}.old.gz`, gzipSync(readFileSync(stage.log)))
      rmSync(stage.log)
    }
    stage.write(20)
    t.ok(await stage.arrived())
    rotate()
    stage.write(20)
    t.ok(await stage.arrived())
    stage.receiver.behaviour = refuse(503)
    program.child.kill('SIGSTOP')
    // More than is in memory at once: the rest of it is unread when the archive has been unpacked.
    stage.write(300_000)
    rotate()
    stage.write(100)
    rotate()
    stage.write(10)
    program.child.kill('SIGCONT')
    const unpacked = async () => (await program.get('/status', 'adminPort')).text.includes('/unpacked/')
    t.ok(await until(unpacked), 'it is unpacked')
    stage.receiver.behaviour = undefined
    t.ok(await stage.arrived(), 'all lines arrive')
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  },
)

t.test('a line that begins with the two bytes of gzip is a line', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  writeFileSync(
    join(stage.logs, 'odd.log'),
    Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(' is how it begins\n')]),
  )
  stage.write(10)
  t.ok(await until(() => stage.receiver.lines.some(line => line.endsWith(' is how it begins'))), 'it arrives')
  t.equal((await program.kill('SIGTERM')).code, 0)
})
