/** Archives that the application made to be unpacked: what they take of memory and of the volume is bounded, and lines go on. */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Pod, skip } from './pod.ts'

t.jobs = 2
t.setTimeout(170_000)

const MIB = 1024 ** 2

/**
 * A log whose first line is known, truncated while the program is down so that its copies are looked for, among which
 * are `archives`. Returns how much was unpacked at the most, in bytes.
 */
async function tried(t: Test, archives: (head: string) => ReadonlyMap<string, Uint8Array>): Promise<number> {
  const pod = await Pod.start(t)
  const head = 'a first line that is known\n'
  pod.application(`printf '${head.trim()}\\nsecond\\n' > app.log; echo one > other.log`)
  const limits = { LOGSHIPPER_STATE_UNPACKED_MAX_BYTES: '8MiB', LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' }
  const before = await pod.shipper(join(pod.logs, '*.log'), limits)
  t.ok(await pod.came('second'))
  await before.end('SIGKILL')
  for (const [name, bytes] of archives(head)) writeFileSync(join(pod.logs, name), bytes)
  pod.application('rm app.log; echo new > app.log; echo two >> other.log')
  const after = await pod.shipper(join(pod.logs, '*.log'), limits)
  const unpacked = join(pod.state, 'unpacked')
  let most = 0
  const look = () => {
    let sum = 0
    for (const name of existsSync(unpacked) ? readdirSync(unpacked) : []) {
      sum += statSync(join(unpacked, name), { throwIfNoEntry: false })?.size ?? 0
    }
    most = Math.max(most, sum)
  }
  const timer = setInterval(look, 2)
  t.teardown(() => clearInterval(timer))
  t.ok(await pod.came('two'), 'another file is shipped')
  for (let n = 0; n < 20; n++) {
    pod.application(`mv app.log app.log.${n + 100}; echo 'new ${n}' > app.log; echo 'line ${n}' >> other.log`)
    t.ok(await pod.came(`line ${n}`), 'another file is shipped')
  }
  t.notOk(after.over, 'it lives')
  // The rest of app.log may be waited for longer than the end may take.
  t.type(await after.end(), 'number')
  look()
  return most
}

t.test('twenty gzip bombs unpack to no more than the limit of all together', { skip }, async t => {
  const most = await tried(t, head => {
    const bomb = gzipSync(Buffer.concat([Buffer.from(head), Buffer.alloc(64 * MIB, 'x\n')]))
    return new Map(Array.from({ length: 20 }, (_, n) => [`app.log.${n + 1}.gz`, bomb]))
  })
  t.ok(most <= 8 * MIB, `${most} bytes`)
})

t.test('zstd frames that ask for a window of 128 MiB', { skip }, async t => {
  await tried(t, head => {
    const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
    const wide = zstdCompressSync(Buffer.concat([Buffer.from(head), Buffer.alloc(160 * MIB, 'x\n')]), { params })
    return new Map(Array.from({ length: 5 }, (_, n) => [`app.log.${n + 1}.zst`, wide]))
  })
})

t.test('two thousand small ones, one of a hundred thousand members, and heads that are none', { skip }, async t => {
  await tried(t, head => {
    const small = gzipSync(head)
    const members = Buffer.concat(Array.from({ length: 100_000 }, () => small))
    const broken = Buffer.from(small)
    broken[3] = 0xff
    return new Map<string, Uint8Array>([
      ...Array.from({ length: 2000 }, (_, n): [string, Uint8Array] => [`app.log.${n + 1000}.gz`, small]),
      ['app.log.1.gz', members],
      ['app.log.2.gz', broken],
      ['app.log.3.gz', Buffer.from('not an archive')],
      ['app.log.4.zst', small],
      ['app.log.5.gz', zstdCompressSync(head)],
      ['app.log.6.gz', small.subarray(0, 12)],
      ['app.log.7.gz', Buffer.alloc(0)],
    ])
  })
})

t.test('four thousand that are none: everything else goes on, and it ends when it is told to', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application('echo one > app.log; echo one > other.log')
  const limits = { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' }
  const before = await pod.shipper(join(pod.logs, '*.log'), limits)
  t.ok(await pod.came('one'))
  await before.end('SIGKILL')
  for (let n = 0; n < 4000; n++) writeFileSync(join(pod.logs, `app.log.${n}.gz`), `none ${n}`)
  pod.application('rm app.log; echo new > app.log')
  const after = await pod.shipper(join(pod.logs, '*.log'), limits)
  for (let n = 0; n < 10; n++) {
    pod.application(`echo 'line ${n}' >> other.log`)
    t.ok(await pod.came(`line ${n}`))
    t.match(await after.get('/livez'), /./, 'it answers')
  }
  t.type(await after.end(), 'number', 'it ends by itself')
})
