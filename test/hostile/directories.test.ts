/** Directories of the volume that the application replaces by links: nothing of where they lead is shipped. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { until } from '../program.ts'
import { Pod, SECRET, skip } from './pod.ts'

t.jobs = 2

const HEAD = '-----BEGIN PRIVATE KEY-----'
const KEY = `${HEAD}\n${SECRET}\n`

t.test('the directory in front of a wildcard becomes a link to secrets', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.secret('tls.log', KEY)
  pod.application('mkdir app; echo one > app/a.log')
  const shipper = await pod.shipper(join(pod.logs, 'app/*.log'))
  t.ok(await pod.came('one'))
  pod.application(`mv app app2; ln -s '${pod.secrets}' app`)
  t.ok(await until(() => /leads out of the directory/.test(shipper.said)), 'it is said')
  pod.application('rm app; mv app2 app; echo two > app/b.log')
  t.ok(await pod.came('two'), 'and what comes back is followed')
  t.equal(await shipper.end(), 0)
  t.same(pod.leaked, [])
})

t.test('the same before the program starts again', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.secret('tls.log', KEY)
  pod.application('mkdir app; echo one > app/a.log')
  const before = await pod.shipper(join(pod.logs, 'app/*.log'))
  t.ok(await pod.came('one'))
  await before.end('SIGKILL')
  pod.application(`mv app app2; ln -s '${pod.secrets}' app`)
  const after = await pod.shipper(join(pod.logs, 'app/*.log'))
  t.ok(await until(() => /leads out of the directory/.test(after.said)), 'it is said')
  pod.application('rm app; mv app2 app; echo two > app/b.log')
  t.ok(await pod.came('two'), 'and what comes back is followed')
  t.equal(await after.end(), 0)
  t.same(pod.leaked, [])
})

t.test(
  'a link that the application made is followed within its directory, and where that is allowed',
  { skip },
  async t => {
    const pod = await Pod.start(t)
    pod.secret('a.log', 'allowed\n')
    pod.application(
      `mkdir -p releases/1; echo one > releases/1/a.log; ln -s releases/1 current; ln -s '${pod.secrets}' out`,
    )
    const paths = `${join(pod.logs, 'current/*.log')},${join(pod.logs, 'out/*.log')}`
    const refusing = await pod.shipper(paths)
    t.ok(await pod.came('one'))
    t.ok(await until(() => /out.*leads out of the directory/.test(refusing.said)))
    t.equal(await refusing.end(), 0)
    t.same(pod.lines, ['one'])
    const source = { name: 'app', paths: paths.split(','), followSymlinks: [pod.secrets] }
    const backends = [{ name: 'http', type: 'http', endpoint: pod.receiver.url }]
    const config = pod.secret('logshipper.yaml', JSON.stringify({ sources: [source], backends }))
    const allowing = await pod.shipper(undefined, {}, ['--config', config])
    t.ok(await pod.came('allowed'))
    t.equal(await allowing.end(), 0)
  },
)

t.test('the directory of a followed file becomes a link, and the file is truncated', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.secret('tls.key', KEY)
  pod.secret('app.log.1', KEY)
  pod.application(`mkdir d; echo '${HEAD}' > d/app.log; echo one > other.log`)
  const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came(HEAD))
  pod.application(`mv d d2; ln -s '${pod.secrets}' d; : > d2/app.log`)
  t.ok(await until(() => /"file_truncated"/.test(shipper.said)))
  pod.application('echo two >> other.log')
  t.ok(await pod.came('two'))
  t.equal(await shipper.end(), 0)
  t.same(pod.leaked, [])
})

t.test('the same while the program is down', { skip }, async t => {
  const pod = await Pod.start(t)
  for (const name of ['tls.key', 'app.log.1', 'app.log-20260101']) pod.secret(name, KEY)
  pod.application(`mkdir d; echo '${HEAD}' > d/app.log; echo one > other.log`)
  const before = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came(HEAD))
  t.equal(await before.end(), 0)
  pod.application(`mv d d2; ln -s '${pod.secrets}' d; rm d2/app.log; echo two >> other.log`)
  const after = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came('two'))
  t.equal(await after.end(), 0)
  t.same(pod.leaked, [])
})

t.test('an archive that is called as a rotation lies where the directory leads now', { skip }, async t => {
  const pod = await Pod.start(t)
  const path = pod.secret('app.log.1.gz')
  rmSync(path)
  pod.secret('app.log.1.gz', gzipSync(`${HEAD}\n${SECRET}\n`) as unknown as string)
  pod.application(`mkdir d; echo '${HEAD}' > d/app.log; echo one > other.log`)
  const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came(HEAD))
  pod.application(`mv d d2; ln -s '${pod.secrets}' d; : > d2/app.log; echo two >> other.log`)
  t.ok(await until(() => /"file_truncated"/.test(shipper.said)))
  t.ok(await pod.came('two'))
  t.equal(await shipper.end(), 0)
  t.same(pod.leaked, [])
})

t.test('a directory that rotations go to becomes a link, and more rotations follow', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application('mkdir app old; echo one > app/app.log')
  const shipper = await pod.shipper(join(pod.logs, 'app/*.log'))
  t.ok(await pod.came('one'))
  // So that it is known where they go.
  pod.application('mv app/app.log old/app.log.1; echo two > app/app.log')
  t.ok(await pod.came('two'))
  for (const name of ['app.log.2', 'app.log.3']) pod.secret(name)
  pod.secret('app.log.4.gz', gzipSync(`${SECRET}\n`) as unknown as string)
  pod.application(`mv old old2; ln -s '${pod.secrets}' old; mv app/app.log old2/app.log.9; echo three > app/app.log`)
  t.ok(await pod.came('three'))
  pod.application('rm app/app.log')
  // It is looked for what was rotated for as long as this takes.
  for (let n = 0; n < 20; n++) {
    pod.application(`echo 'file ${n}' > app/app.log; mv app/app.log old2/app.log.1${n}`)
    pod.application(`echo 'line ${n}' > app/b.log`)
    t.ok(await pod.came(`line ${n}`))
    pod.application('rm app/b.log')
  }
  t.equal(await shipper.end(), 0)
  t.same(pod.leaked, [])
})

t.test(
  'a directory is swapped with a link at full speed while files in it are rotated and truncated',
  { skip },
  async t => {
    const pod = await Pod.start(t)
    for (const name of ['app.log', 'app.log.1', 'app.log.2', 'tls.key']) pod.secret(name, KEY)
    pod.secret('app.log.3.gz', gzipSync(KEY) as unknown as string)
    pod.application('mkdir d; echo one > other.log')
    const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
    t.ok(await pod.came('one'))
    const swaps = 6000
    const swapper = pod.program(`
    const fs = require('node:fs')
    const attempt = work => { try { work() } catch {} }
    fs.symlinkSync(${JSON.stringify(pod.secrets)}, 'link')
    for (let n = 0; n < ${swaps}; n++) {
      attempt(() => fs.writeFileSync('d/app.log', ${JSON.stringify(`${HEAD}\n`)}))
      if (n % 3 === 0) attempt(() => fs.renameSync('d/app.log', 'd/app.log.1'))
      fs.renameSync('d', 'aside'); fs.renameSync('link', 'd')
      if (n % 2 === 0) attempt(() => fs.truncateSync('aside/app.log'))
      fs.renameSync('d', 'link'); fs.renameSync('aside', 'd')
    }`)
    const [code] = await once(swapper, 'exit')
    t.equal(code, 0, `${swaps} swaps`)
    pod.application('echo two >> other.log')
    t.ok(await pod.came('two'), 'and it ships on')
    t.equal(await shipper.end(), 0)
    t.same(pod.leaked, [])
  },
)
