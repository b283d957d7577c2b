/** No inotify watch is left for us: looking takes its place. It costs some latency and no line. */
import { spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { Program, Stage, sleep, until } from '../program.ts'
import { untested } from '../support/untested.ts'

t.setTimeout(170_000)

const BUNDLE = resolve(process.env['LOGSHIPPER_UNDER_TEST'] ?? join(import.meta.dirname, '../../dist/logshipper.cjs'))

/** Runs a command where the limits of a user namespace are as low as they go (user_namespaces(7), /proc/sys/user). */
const within = (limit: string, command: string) => [
  '-Ur',
  'sh',
  '-c',
  `echo 0 > /proc/sys/user/${limit} && exec ${command}`,
]
const LIMITED = spawnSync('unshare', within('max_inotify_watches', 'true')).status === 0

if (!LIMITED) untested(t, 'watches run out', 'no user namespace of our own')
else {
  for (const limit of ['max_inotify_watches', 'max_inotify_instances']) {
    t.test(`with ${limit} at 0 every line comes, through rotations and in new files`, async t => {
      const stage = await Stage.set(t)
      const program = new Program(stage.env, within(limit, `${process.execPath} ${BUNDLE}`), { command: 'unshare' })
      t.teardown(() => program.child.kill('SIGKILL'))
      await program.started
      t.ok(await until(() => program.says('polling carries on')), 'it says so')
      stage.write(50)
      t.ok(await stage.arrived(), 'the file is seen')
      for (let turn = 0; turn < 3; turn++) {
        stage.write(50)
        await sleep(20)
        renameSync(stage.log, `${stage.log}.${turn}`)
      }
      stage.write(50)
      stage.write(50, join(stage.logs, 'other.log'))
      t.ok(await stage.arrived(), 'everything comes')
      t.equal(program.said.filter(({ msg }) => msg.includes('polling carries on')).length, 1, 'it said so once')
      t.equal((await program.kill('SIGTERM')).code, 0)
      stage.complete(t, { ordered: false })
    })
  }
}
