/** Names that were chosen to be hard, and that do not stay what they are: the program answers, ships, and blocks nowhere. */
import { join } from 'node:path'
import t from 'tap'
import { until } from '../program.ts'
import { Pod, skip } from './pod.ts'

t.jobs = 2
t.setTimeout(170_000)

t.test('four thousand names that are hard for patterns, in a directory that changes', { skip }, async t => {
  const pod = await Pod.start(t)
  const made = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    for (let n = 0; n < 4000; n++) fs.writeFileSync('1-'.repeat(110) + n + '.lox', '')`)
  t.ok(await until(() => made.exitCode !== null))
  const paths = ['*.log', '*-*.log', '*-*-*.log', '*-*-*-*-*.log', '*a*a*a*a*b'].map(glob => join(pod.logs, glob))
  const shipper = await pod.shipper(paths.join(','))
  for (let n = 0; n < 3; n++) {
    pod.application(`echo 'line ${n}' > 'a-b-c-${n}.log'; mv ${'1-'.repeat(110)}${n}.lox ${'2-'.repeat(110)}${n}.lox`)
    t.ok(await pod.came(`line ${n}`))
    t.match(await shipper.get('/livez'), /\S/)
  }
  t.equal(await shipper.end(), 0)
})

t.test('a file is swapped with a link to secrets and a FIFO at full speed', { skip }, async t => {
  const pod = await Pod.start(t)
  const secret = JSON.stringify(pod.secret('token'))
  pod.application('echo one > other.log')
  const shipper = await pod.shipper(join(pod.logs, '*.log'))
  t.ok(await pod.came('one'))
  const swapper = pod.program(`
    const fs = require('node:fs')
    const { execFileSync } = require('node:child_process')
    execFileSync('mkfifo', ['fifo'])
    fs.symlinkSync(${secret}, 'link')
    fs.symlinkSync('/proc/self/environ', 'proc')
    fs.symlinkSync('/dev/zero', 'zero')
    fs.writeFileSync('file', 'a line of the file\\n')
    for (let n = 0; n < 8000; n++) {
      for (const each of ['file', 'link', 'fifo', 'proc', 'zero']) {
        fs.renameSync(each, 'app.log')
        fs.renameSync('app.log', each)
      }
    }`)
  let n = 0
  while (swapper.exitCode === null) {
    pod.application(`echo 'line ${++n}' >> other.log`)
    t.ok(await pod.came(`line ${n}`), 'another file is shipped meanwhile')
  }
  t.equal(swapper.exitCode, 0)
  t.equal(await shipper.end(), 0)
  t.same(pod.leaked, [])
  t.same(
    pod.lines.filter(line => !/^(one|line \d+|a line of the file)$/.test(line)),
    [],
    'nothing else is shipped',
  )
})

t.test('names that are links to the program’s own files, to secrets and to its memory', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.secret('token')
  pod.application('echo one > app.log')
  const state = join(pod.logs, '.logshipper')
  const shipper = await pod.shipper(join(pod.logs, '**'), { LOGSHIPPER_STATE_DIR: state })
  t.ok(await pod.came('one'))
  pod.application(`
    ln -s '${pod.secrets}/token' a; ln -s '${pod.secrets}' b; ln -s /proc/self/mem c; ln -s /proc/self/environ d
    ln -s .logshipper/checkpoint e; ln -s .logshipper f; ln -s /proc/self/fd g; ln -s . h; ln -s i i; ln -s /dev/zero j
    ln -s /proc/self/root/etc/passwd k; ln -s /proc/1/cwd l; mkfifo m; ln -s m n; ln -s /dev/stdin o`)
  pod.application('echo two >> app.log')
  t.ok(await pod.came('two'))
  t.ok(await until(() => /"path_refused"/.test(shipper.said)))
  pod.application('echo three >> app.log')
  t.ok(await pod.came('three'))
  t.equal(await shipper.end(), 0)
  t.same(pod.lines, ['one', 'two', 'three'])
})

t.test('directories are renamed, made and removed at full speed', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application('echo one > other.log')
  const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came('one'))
  const storm = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    for (const each of ['a', 'b']) { fs.mkdirSync(each); fs.writeFileSync(each + '/x.log', 'a line\\n') }
    for (let n = 0; n < 15000; n++) {
      fs.renameSync('a', 'c'); fs.renameSync('b', 'a'); fs.renameSync('c', 'b')
      if (n % 10 === 0) { fs.mkdirSync('d' + n); fs.rmdirSync('d' + n) }
    }`)
  let n = 0
  while (storm.exitCode === null) {
    pod.application(`echo 'line ${++n}' >> other.log`)
    t.ok(await pod.came(`line ${n}`), 'another file is shipped meanwhile')
  }
  t.equal(storm.exitCode, 0)
  t.notOk(shipper.over)
  t.equal(await shipper.end(), 0)
})

t.test('files of terabytes without a byte in them, and one that has a line at its end', { skip }, async t => {
  const pod = await Pod.start(t)
  pod.application(`
    for n in 1 2 3 4 5 6 7 8 9 10; do truncate -s 1T sparse-$n.log; done
    truncate -s 4T largest.log; echo last >> largest.log; echo one > app.log`)
  // What stands behind terabytes of holes is not read at the end.
  const shipper = await pod.shipper(join(pod.logs, '*.log'), { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' })
  t.ok(await pod.came('one'))
  for (let n = 0; n < 10; n++) {
    pod.application(`echo 'line ${n}' >> app.log; touch sparse-1.log; truncate -s +1G sparse-2.log`)
    t.ok(await pod.came(`line ${n}`), 'they hold up no other file')
  }
  t.match(await shipper.get('/livez'), /\S/)
  t.notOk(shipper.over)
  t.not(await shipper.end(), 'SIGABRT')
})
