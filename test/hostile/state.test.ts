/** The state beside the logs, where the application puts what it likes in its place: the program reads, writes, ships none of it. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'
import t from 'tap'
import { until } from '../program.ts'
import { Pod, SECRET, SHIPPER, skip } from './pod.ts'

t.jobs = 2
t.setTimeout(170_000)

const KEY = '0011223344556677'

function encoded(body: string): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(`logshipper-checkpoint 1 ${crc32(bytes)} ${bytes.length}\n`), bytes])
}

const checkpoint = (generations: readonly object[]) =>
  encoded(JSON.stringify({ epoch: 'ffffffffffffffff', generations, totals: [], clean: true }))

const generation = (origin: string, more: object = {}) => ({
  source: 'app',
  origin,
  path: origin,
  inode: { dev: '1', ino: '2', birth: '3' },
  id: KEY,
  key: KEY,
  head: { length: 0, hash: '' },
  size: 1000,
  cursors: { http: { offset: 0, marker: { length: 0, crc: 0 } } },
  ...more,
})

t.test(
  'the state is renamed away, and a forged one leads to secrets and to memory of the program',
  { skip },
  async t => {
    const pod = await Pod.start(t)
    for (const name of ['token', KEY]) pod.secret(name)
    pod.application('echo one > app.log')
    const state = join(pod.logs, '.logshipper')
    const before = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_STATE_DIR: state })
    t.ok(await pod.came('one'))
    t.ok(await until(() => existsSync(join(state, 'checkpoint'))))
    const gone = join(pod.logs, 'gone.log')
    const forged = [
      generation(gone, { key: '../../../secrets/token' }),
      generation(join(pod.secrets, 'token')),
      generation(gone, { path: join(pod.secrets, 'token') }),
      // What is unpacked would be written from here on: an address of the program's own memory.
      generation(gone, {
        head: { length: 2 ** 40, hash: '0123456789abcdef0123' },
        cursors: { http: { offset: 0x400000, marker: { length: 0, crc: 0 } } },
      }),
    ]
    const bytes = JSON.stringify(checkpoint(forged).toString('latin1'))
    const planted = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    fs.renameSync('.logshipper', 'away')
    for (const each of ['', '/unpacked', '/dead-letter']) fs.mkdirSync('.logshipper' + each)
    fs.writeFileSync('.logshipper/checkpoint', Buffer.from(${bytes}, 'latin1'))
    fs.symlinkSync('/proc/self/mem', '.logshipper/unpacked/${KEY}.part')
    fs.symlinkSync('/proc/self/mem', '.logshipper/unpacked/${KEY}')
    fs.symlinkSync(${JSON.stringify(pod.secrets)}, '.logshipper/pins')
    fs.symlinkSync(${JSON.stringify(join(pod.secrets, 'token'))}, '.logshipper/dead-letter/http.ndjson')
    fs.symlinkSync(${JSON.stringify(join(pod.secrets, 'token'))}, '.logshipper/checkpoint.tmp')
    fs.writeFileSync('gone.log.1.gz', Buffer.from(${JSON.stringify(gzipSync('planted\n'.repeat(1000)).toString('latin1'))}, 'latin1'))`)
    t.ok(await until(() => planted.exitCode !== null))
    pod.application('echo two >> app.log')
    t.ok(await pod.came('two'), 'it ships on')
    await before.end('SIGKILL')
    pod.application('echo three >> app.log')
    const after = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_STATE_DIR: state })
    t.ok(await pod.came('three'))
    t.ok(await until(() => /"NOT_PRIVATE"|"state_within"/.test(after.said)), 'it is said whose the state is')
    t.equal(await after.end(), 0)
    t.same(pod.leaked, [])
    // The archive that an entry names is the application's own, and may come as that of a file that came and went.
    t.same(readdirSync(pod.secrets).sort(), [KEY, 'token'])
    for (const name of [KEY, 'token']) t.equal(readFileSync(join(pod.secrets, name), 'utf8'), `${SECRET}\n`, name)
  },
)

/** Twenty megabytes, which is as much as is read, of what takes many times that once it is parsed. */
const HEAVY: Record<string, (count: number) => object> = {
  'members of their own': count => ({ more: Array.from({ length: count }, () => ({})) }),
  'stretches of something else': count => ({ written: [Array.from({ length: count }, () => ({}))] }),
  'very many backends': () => ({
    cursors: Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`b${n}`, { offset: 0, marker: { length: 0, crc: 0 } }]),
    ),
  }),
}

for (const [what, more] of Object.entries(HEAVY)) {
  t.test(`a checkpoint as long as it may be, of entries with ${what}`, { skip }, async t => {
    const pod = await Pod.start(t)
    pod.application('echo one > app.log')
    const one = JSON.stringify(generation(join(pod.logs, 'gone.log'), more(60_000)))
    const list = Array.from({ length: Math.floor(19e6 / one.length) }, () => one).join()
    mkdirSync(pod.state)
    const path = join(pod.state, 'checkpoint')
    writeFileSync(path, encoded(`{"epoch":"ffffffffffffffff","generations":[${list}],"totals":[],"clean":true}`))
    for (const each of [pod.state, path]) chownSync(each, SHIPPER, SHIPPER)
    // As the kubelet leaves what lies on a claim: the pod's group may write to it.
    chmodSync(pod.state, 0o2770)
    chmodSync(path, 0o660)
    const shipper = await pod.shipper(join(pod.logs, '*.log'))
    t.ok(await pod.came('one'))
    t.equal(await shipper.end(), 0)
  })
}

t.test(
  'links and FIFOs that are put in the place of the state at full speed, and other directories',
  { skip },
  async t => {
    const pod = await Pod.start(t)
    pod.secret('checkpoint')
    pod.application('echo 0 > app.log')
    const state = join(pod.logs, '.logshipper')
    const shipper = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_STATE_DIR: state })
    t.ok(await pod.came('0'))
    const swapper = pod.program(`
    const fs = require('node:fs')
    const { execFileSync } = require('node:child_process')
    const attempt = work => { try { work() } catch {} }
    fs.symlinkSync(${JSON.stringify(pod.secrets)}, 'link')
    fs.mkdirSync('other')
    fs.mkdirSync('other/unpacked')
    execFileSync('mkfifo', ['fifo', 'other/checkpoint', 'other/checkpoint.tmp'])
    for (let n = 0; n < 5000; n++) {
      const thing = ['link', 'other', 'fifo'][n % 3]
      attempt(() => fs.renameSync('.logshipper', 'away'))
      attempt(() => fs.renameSync(thing, '.logshipper'))
      attempt(() => fs.renameSync('.logshipper', thing))
      if (n % 7) attempt(() => fs.renameSync('away', '.logshipper'))
    }`)
    let n = 0
    while (swapper.exitCode === null) {
      pod.application(`echo ${++n} >> app.log`)
      t.ok(await pod.came(String(n)), 'it ships on')
    }
    t.equal(swapper.exitCode, 0)
    t.ok(n > 1)
    t.notOk(shipper.over)
    t.not(await shipper.end(), 'SIGABRT')
    t.same(pod.leaked, [])
    t.same(readdirSync(pod.secrets), ['checkpoint'])
    t.equal(readFileSync(join(pod.secrets, 'checkpoint'), 'utf8'), `${SECRET}\n`)
  },
)
