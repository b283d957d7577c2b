/** So many names that there is no memory for them: the program, under the image's flags, lives and ships what it can. */
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../program.ts'
import { Pod, skip } from './pod.ts'

t.jobs = 2
t.setTimeout(170_000)

t.test('six thousand files whose paths are nearly as long as the kernel takes', { skip }, async t => {
  const pod = await Pod.start(t)
  const made = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    for (let n = 0; n < 14; n++) {
      const name = String(n).padEnd(240, 'd')
      fs.mkdirSync(name)
      process.chdir(name)
    }
    for (let n = 0; n < 6000; n++) fs.writeFileSync('f' + n + '.log', 'line ' + n + '\\n')`)
  t.equal((await once(made, 'exit'))[0], 0)
  pod.application('echo beside > app.log')
  const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came('beside'))
  t.ok(await until(() => /"file_limit"/.test(shipper.said)), 'what waits is said')
  pod.application('echo more >> app.log')
  t.ok(await pod.came('more'))
  t.notOk(shipper.over)
  t.not(await shipper.end(), 'SIGABRT')
})

/** What a program of the application makes in the first of two sources; the second one is shipped all the same. */
const CROWDS: Record<string, string> = {
  'twenty thousand files of a line': `for (let n = 0; n < 20000; n++) fs.writeFileSync('crowd/' + n + '.log', 'a line\\n')`,
  'thirty thousand links that lead nowhere': `for (let n = 0; n < 30000; n++) fs.symlinkSync('/nowhere', 'crowd/' + n + '.log')`,
  'thirty thousand other names': `for (let n = 0; n < 30000; n++) fs.writeFileSync('crowd/' + n + '.txt', '')`,
  'twelve thousand directories': `for (let n = 0; n < 12000; n++) fs.mkdirSync('crowd/' + n)`,
  'directories a thousand deep': `process.chdir('crowd'); for (let n = 0; n < 1000; n++) { fs.mkdirSync('d'); process.chdir('d') }`,
}

for (const [what, script] of Object.entries(CROWDS)) {
  t.test(`${what} in the directories of one source, and another source`, { skip }, async t => {
    const pod = await Pod.start(t)
    pod.application('mkdir crowd beside; echo one > beside/app.log')
    const made = pod.program(`const fs = require('node:fs'); process.umask(0); ${script}`)
    t.equal((await once(made, 'exit'))[0], 0)
    const sources = ['crowd', 'beside'].map(name => ({ name, paths: [join(pod.logs, name, '**/*.log')] }))
    const retry = { initial: '50ms', max: '200ms' }
    const backends = [{ name: 'http', type: 'http', endpoint: pod.receiver.url, retry }]
    const drain = { gracePeriod: '3s' }
    const config = pod.secret('logshipper.yaml', JSON.stringify({ sources, backends, drain }))
    const shipper = await pod.shipper(undefined, {}, ['--config', config])
    t.ok(await pod.came('one'))
    pod.application('echo two > beside/b.log')
    t.ok(await pod.came('two'), 'what is new in the other source is found')
    t.match(await shipper.get('/livez'), /\S/)
    t.notOk(shipper.over)
    t.type(await shipper.end(), 'number')
  })
}

t.test(
  'two hundred files that are emptied again and again, among two thousand that may be copies',
  { skip },
  async t => {
    const pod = await Pod.start(t)
    pod.application('mkdir crowd beside; echo one > beside/app.log')
    const emptying = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    for (let n = 0; n < 2000; n++) fs.writeFileSync('crowd/other-' + n, 'what may be a copy\\n'.repeat(100))
    const write = (n, text) => fs.writeFileSync('crowd/' + n + '.log', 'a line of ' + text + ' that is long enough\\n')
    for (let n = 0; n < 200; n++) write(n, 'the first round')
    process.stdout.write('made')
    let round = 0
    setInterval(() => {
      round++
      for (let n = 0; n < 200; n++) write(n, round)
    }, 300)`)
    await once(emptying.stdout!, 'data')
    const sources = ['crowd', 'beside'].map(name => ({ name, paths: [join(pod.logs, name, '*.log')] }))
    const backends = [
      { name: 'http', type: 'http', endpoint: pod.receiver.url, retry: { initial: '50ms', max: '200ms' } },
    ]
    const drain = { gracePeriod: '3s' }
    const config = pod.secret('logshipper.yaml', JSON.stringify({ sources, backends, drain }))
    const shipper = await pod.shipper(undefined, {}, ['--config', config])
    t.ok(await pod.came('one'))
    for (let n = 0; n < 5; n++) {
      pod.application(`echo ${n} >> beside/app.log`)
      t.ok(await pod.came(String(n)), 'the other source is shipped')
      t.match(await shipper.get('/livez'), 'alive')
    }
    const emptied = () => pod.lines.filter(line => line.startsWith('a line of ')).length
    const before = emptied()
    emptying.kill('SIGKILL')
    t.ok(await until(() => emptied() > before), 'and so are they, once they stay as they are')
    t.type(await shipper.end(), 'number')
  },
)

t.test('two thousand rotations of one file, made while it was down: all come, and it ends', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application('echo one > app.log; echo one > other.log')
  const before = await pod.shipper(join(pod.logs, '*.log'))
  t.ok(await pod.came('one'))
  await before.end('SIGKILL')
  pod.application(
    `mv app.log app.log.2001; for n in $(seq 2000); do echo "rotated $n" > app.log.$n; done; echo new > app.log`,
  )
  const shipper = await pod.shipper(join(pod.logs, '*.log'))
  pod.application('echo two >> other.log')
  t.ok(await pod.came('two'), 'another file is shipped')
  t.ok(await pod.came('new'))
  const rotated = () => new Set(pod.lines.filter(line => line.startsWith('rotated'))).size
  t.ok(await until(() => rotated() === 2000), `${rotated()} came`)
  t.match(await shipper.get('/livez'), /./, 'it answers')
  t.equal(await shipper.end(), 0, 'it ends in order')
})
