/**
 * Debian's logrotate, in both of its modes, once a second while lines are written: nothing is missing and the order is
 * kept. copytruncate itself loses what is written between its copy and its truncation, before it could be read; so
 * that the program is tested and not logrotate, the application holds its breath while it runs in that mode. During an
 * outage it rotates as ever: it refuses files with two links, so those that it may touch have one.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { refuse, Stage, sleep } from './program.ts'
import { untested } from './support/untested.ts'

const ROTATIONS = 6
const LOGROTATE = ['/usr/sbin/logrotate', '/usr/bin/logrotate'].find(
  path => spawnSync(path, ['--version']).status === 0,
)

if (LOGROTATE === undefined) untested(t, 'create and copytruncate', 'logrotate is not installed')
else {
  for (const mode of ['create', 'copytruncate'] as const) {
    t.test(`${mode}, once a second, while lines are written`, async t => {
      const stage = await Stage.set(t)
      // logrotate refuses a directory that others may write to.
      chmodSync(stage.logs, 0o755)
      const config = join(dirname(stage.logs), 'logrotate.conf')
      const directive = mode === 'create' ? 'create 0644' : 'copytruncate'
      writeFileSync(config, `${stage.log} {\n  rotate 20\n  ${directive}\n}\n`, { mode: 0o644 })
      const program = await stage.start()
      let file = openSync(stage.log, 'a')
      for (let turn = 0; turn < ROTATIONS; turn++) {
        const end = performance.now() + 1000
        while (performance.now() < end) {
          writeSync(file, stage.take(25))
          await sleep(5)
        }
        execFileSync(LOGROTATE, ['-f', '-s', join(dirname(stage.logs), 'logrotate.state'), config])
        if (mode === 'create') {
          // An application that is told to open its log again has written to the old one until then.
          writeSync(file, stage.take(25))
          closeSync(file)
          file = openSync(stage.log, 'a')
        }
      }
      writeSync(file, stage.take(25))
      closeSync(file)
      t.ok(await stage.arrived())
      const { code, ledger } = await program.kill('SIGTERM')
      t.equal(code, 0)
      stage.complete(t)
      t.equal(ledger[0]!.statement.delivered.lines, stage.written)
      t.equal(ledger[0]!.statement.lostBytes, 0)
      t.ok(ledger[0]!.statement.generations > ROTATIONS, 'it did rotate')
    })
  }

  for (const compress of ['', 'compress', 'compress\n  delaycompress'] as const) {
    t.test(`rotates through an outage${compress && `, with ${compress.replace(/\n */, ' and ')}`}`, async t => {
      const stage = await Stage.set(t)
      chmodSync(stage.logs, 0o755)
      const config = join(dirname(stage.logs), 'logrotate.conf')
      writeFileSync(config, `${stage.log} {\n  rotate 3\n  create 0644\n  ${compress}\n}\n`, { mode: 0o644 })
      // It exits with 1, and this throws, if it refuses a file.
      const rotate = () => execFileSync(LOGROTATE, ['-f', '-s', join(dirname(stage.logs), 'logrotate.state'), config])
      const program = await stage.start()
      for (let turn = 0; turn < 2; turn++) {
        stage.write(10)
        t.ok(await stage.arrived())
        rotate()
      }
      stage.receiver.behaviour = refuse(503)
      for (let turn = 0; turn < 5; turn++) {
        stage.write(50)
        await sleep(400)
        rotate()
      }
      stage.receiver.behaviour = undefined
      t.ok(await stage.arrived())
      t.equal((await program.kill('SIGTERM')).code, 0)
      stage.complete(t)
    })
  }
}
