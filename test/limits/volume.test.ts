/** A volume at its end: no room left, or nothing that may be written to. What can be read is shipped all the same. */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Program, Stage, until } from '../program.ts'
import { mountTmpfs, withoutTmpfs } from '../support/tmpfs.ts'

t.setTimeout(170_000)
t.jobs = 2

const skip = withoutTmpfs()

/** A file system of its own in memory, gone afterwards. */
function mounted(t: Test, size: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-volume-'))
  t.ok(mountTmpfs(directory, size))
  t.teardown(() => {
    execFileSync('umount', ['-l', directory])
    rmdirSync(directory)
  })
  return directory
}

const health = async (program: Program) =>
  JSON.parse((await program.get('/health')).text) as {
    status: string
    state: { kind: string; code: string }
    pins: { kind: string; reason: string }
  }

/** Whether the checkpoint says that so many lines were delivered. */
const isSaved = (state: string, lines: number): boolean => {
  const path = join(state, 'checkpoint')
  return existsSync(path) && readFileSync(path, 'utf8').includes(`"delivered":{"lines":${lines},`)
}

t.test('the volume is full for the application and the program alike', { skip }, async t => {
  const volume = mounted(t, '2m')
  const logs = join(volume, 'logs')
  mkdirSync(logs)
  const stage = await Stage.set(t, {
    LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
    LOGSHIPPER_STATE_DIR: join(volume, 'state'),
  })
  const log = join(logs, 'app.log')
  const program = await stage.start()
  stage.write(100, log)
  t.ok(await stage.arrived())
  // A save that is under way would leave room for the next one.
  t.ok(await until(() => isSaved(join(volume, 'state'), 100)))
  // The application writes until nothing fits any more; what it writes half is no line until there is room for its end.
  writeFileSync(join(volume, 'ballast'), '')
  t.throws(
    () => {
      for (;;) appendFileSync(join(volume, 'ballast'), Buffer.alloc(4096))
    },
    { code: 'ENOSPC' },
  )
  renameSync(log, `${log}.1`)
  t.throws(() => stage.write(1000, log), { code: 'ENOSPC' })
  t.ok(await until(async () => (await health(program)).state.kind === 'failing'), 'it says that it cannot save')
  t.match((await health(program)).state, { code: 'ENOSPC' })
  rmSync(join(volume, 'ballast'))
  // The line that was cut is written to its end.
  const { size } = await import('node:fs').then(({ statSync }) => statSync(log))
  const first = 100
  let whole = ''
  for (let n = first; n < stage.written; n++) whole += `${String(n).padStart(8, '0')} a line of the application\n`
  appendFileSync(log, whole.slice(size))
  t.ok(await stage.arrived())
  t.ok(await until(async () => (await health(program)).state.kind === 'saved'), 'and saves as soon as it can')
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
  t.notOk(readdirSync(join(volume, 'state')).includes('checkpoint.tmp'), 'no half of a checkpoint is left')
})

t.test(
  'a state directory that is mounted read-only: it ships, follows rotations, and says what it cannot do',
  { skip },
  async t => {
    const state = mounted(t, '1m')
    const stage = await Stage.set(t, { LOGSHIPPER_STATE_DIR: state })
    execFileSync('mount', ['-o', 'remount,ro', state])
    const program = await stage.start()
    stage.write(100)
    t.ok(await stage.arrived())
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(100, `${stage.log}.1`)
    stage.write(100)
    t.ok(await stage.arrived())
    t.ok(await until(async () => (await health(program)).state.kind === 'failing'))
    t.match((await health(program)).state, { code: 'EROFS' })
    execFileSync('mount', ['-o', 'remount,rw', state])
    stage.write(100)
    t.ok(await until(async () => (await health(program)).state.kind === 'saved'), 'it is saved as soon as it can be')
    t.equal((await program.kill('SIGTERM')).code, 0)
    const next = await stage.start()
    stage.write(10)
    t.ok(await stage.arrived())
    t.equal((await next.kill('SIGTERM')).code, 0)
    stage.complete(t)
  },
)

t.test(
  'an archive that there is no room to unpack is reported as left, and comes once there is room',
  { skip },
  async t => {
    const state = mounted(t, '1m')
    const stage = await Stage.set(t, { LOGSHIPPER_STATE_DIR: state, LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' })
    const first = await stage.start()
    stage.write(100)
    t.ok(await stage.arrived())
    t.ok(await until(() => isSaved(state, 100)))
    await first.kill('SIGKILL')
    stage.write(20_000)
    writeFileSync(`${stage.log}.1.gz`, gzipSync(readFileSync(stage.log)))
    rmSync(stage.log)
    const second = await stage.start()
    t.ok(await until(() => second.says('there is no room to unpack an archive')))
    t.equal((await health(second)).status, 'degraded')
    t.match((await second.get('/status', 'adminPort')).text, 'no room to unpack an archive')
    const { code } = await second.kill('SIGTERM')
    t.equal(code, 3, 'it is incomplete')
    t.match(
      second.said.find(({ msg }) => msg === 'ended'),
      { complete: false, left: [{ path: stage.log }] },
    )
    execFileSync('mount', ['-o', 'remount,size=16m', state])
    const third = await stage.start()
    t.ok(await stage.arrived())
    t.ok(await until(async () => (await health(third)).status === 'ok'))
    t.equal((await third.kill('SIGTERM')).code, 0)
    stage.complete(t)
  },
)
