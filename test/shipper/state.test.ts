/** The program as the image's user on a volume that an application of another user may write to. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PROGRAM, Receiver, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'
import { otherUser } from '../support/otheruser.ts'

t.jobs = 2

const SHIPPER = 65_532
const APPLICATION = 1000
const skip = otherUser

interface Running {
  readonly child: ChildProcess
  readonly said: () => string
  end(): Promise<number | null>
}

/** A volume as the kubelet makes it for a pod with an fsGroup, and a receiver. */
async function pod(t: Test) {
  const base = scratch(t, { secrets: { token: 'a secret\n' } })
  chownSync(join(base, 'secrets'), SHIPPER, SHIPPER)
  chownSync(join(base, 'secrets', 'token'), SHIPPER, SHIPPER)
  chmodSync(join(base, 'secrets'), 0o700)
  const [logs, own] = [join(base, 'logs'), join(base, 'own')]
  for (const volume of [logs, own]) {
    mkdirSync(volume)
    chownSync(volume, 0, SHIPPER)
    chmodSync(volume, 0o2777)
  }
  const receiver = await Receiver.start(t)
  const start = async (state: string, env: Record<string, string> = {}): Promise<Running> => {
    const child = leash(
      spawn(process.execPath, [PROGRAM], {
        uid: SHIPPER,
        gid: SHIPPER,
        cwd: '/',
        env: {
          PATH: process.env['PATH'],
          LOGSHIPPER_SOURCE_PATHS: join(logs, '*.log'),
          LOGSHIPPER_STATE_DIR: state,
          LOGSHIPPER_BACKEND_TYPE: 'http',
          LOGSHIPPER_BACKEND_ENDPOINT: receiver.url,
          LOGSHIPPER_SERVER_PORT: 'off',
          LOGSHIPPER_SERVER_ADMIN: 'off',
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    t.teardown(() => child.kill('SIGKILL'))
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part))
    await until(() => err.includes('"started"') || child.exitCode !== null)
    return {
      child,
      said: () => err,
      async end() {
        if (child.exitCode !== null) return child.exitCode
        child.kill('SIGTERM')
        return (await once(child, 'exit'))[0] as number | null
      },
    }
  }
  /** What the application does. */
  const application = (script: string): void => {
    const { status, stderr } = spawnSync('sh', ['-ec', `umask 000; cd '${logs}'; ${script}`], {
      uid: APPLICATION,
      gid: APPLICATION,
      encoding: 'utf8',
    })
    t.equal(status, 0, stderr)
  }
  return { base, logs, own, receiver, start, application, secrets: join(base, 'secrets') }
}

t.test('on a volume of its own the state is private, and nothing is warned of', { skip }, async t => {
  const { logs, own, receiver, start, application } = await pod(t)
  application('echo "a line" > app.log')
  const state = join(own, 'state')
  // Both lie on one mount here; in a pod each volume is one.
  chmodSync(own, 0o1777)
  chmodSync(logs, 0o3777)
  const program = await start(state)
  t.ok(await until(() => receiver.lines.includes('a line')))
  t.equal(await program.end(), 0)
  t.equal(statSync(state).mode & 0o777, 0o700)
  t.equal(statSync(join(state, 'checkpoint')).uid, SHIPPER)
  t.notMatch(program.said(), /state_shared|state_within|state_write_failed/)
})

t.test('on a volume that keeps no owners the state is kept where the configuration says so', { skip }, async t => {
  const { logs, own, receiver, start } = await pod(t)
  // As an SMB share shows what any user makes on it.
  const mount = () => {
    for (const path of [own, ...readdirSync(own, { recursive: true, encoding: 'utf8' }).map(name => join(own, name))]) {
      chownSync(path, APPLICATION, APPLICATION)
      chmodSync(path, 0o777)
    }
  }
  mkdirSync(join(own, 'private'))
  mount()
  writeFileSync(join(logs, 'app.log'), 'one\n')
  const strict = await start(own)
  t.ok(await until(() => receiver.lines.includes('one')))
  t.match(strict.said(), /"state_write_failed".*"code":"NOT_PRIVATE".*state.permissions: ignore/)
  t.equal(await strict.end(), 3)
  t.same(readdirSync(own), ['private'])
  const env = { LOGSHIPPER_STATE_PERMISSIONS: 'ignore' }
  const before = await start(own, env)
  t.ok(await until(() => receiver.lines.length === 2), 'what was not saved comes again')
  t.equal(await before.end(), 0)
  mount()
  writeFileSync(join(logs, 'app.log'), 'one\ntwo\n')
  const after = await start(own, env)
  t.ok(await until(() => receiver.lines.includes('two')))
  t.equal(await after.end(), 0)
  t.same(receiver.lines, ['one', 'one', 'two'], 'what was saved does not')
  t.notMatch(before.said() + after.said(), /state_write_failed|state_within|checkpoint_unusable/)
})

t.test(
  'a state directory that an older version kept beside the logs is found again, and warned of',
  { skip },
  async t => {
    const { logs, receiver, start, application } = await pod(t)
    application('echo "one" > app.log')
    const state = join(logs, '.logshipper')
    const before = await start(state)
    t.ok(await until(() => receiver.lines.includes('one')))
    t.equal(await before.end(), 0)
    t.match(before.said(), /"state_shared".*mode 02777/)
    // As the kubelet leaves it on a claim.
    chmodSync(state, 0o2770)
    application('echo "two" >> app.log')
    const after = await start(state)
    t.ok(await until(() => receiver.lines.includes('two')))
    t.equal(await after.end(), 0)
    t.same(receiver.lines, ['one', 'two'], 'nothing comes again')
    t.match(after.said(), /"state_closed"/)
    t.equal(statSync(state).mode & 0o777, 0o700)
  },
)

t.test(
  'what the application puts in the place of the state is neither read nor written, and ships nothing',
  { skip },
  async t => {
    const plants: Record<string, string> = {
      'a link to a directory of secrets': `ln -s ../secrets .logshipper`,
      'a link to nowhere': 'ln -s nowhere .logshipper',
      'a file': 'echo x > .logshipper',
      'a FIFO': 'mkfifo .logshipper',
      'a directory of its own': 'mkdir -p .logshipper/unpacked .logshipper/private; mkfifo .logshipper/checkpoint.tmp',
    }
    for (const [what, script] of Object.entries(plants)) {
      const { logs, receiver, start, application, secrets } = await pod(t)
      application(`echo "a line" > app.log; ${script}`)
      const program = await start(join(logs, '.logshipper'))
      t.ok(await until(() => receiver.lines.includes('a line')), `${what}: it ships`)
      t.match(program.said(), /"state_write_failed".*"code":"NOT_PRIVATE".*"found":"[^"]+","allowed":"[^"]+"/, what)
      t.equal(await program.end(), 3, `${what}: it ends, and the code says that it could not save`)
      t.same(receiver.lines, ['a line'])
      t.same(readdirSync(secrets), ['token'])
      t.equal(readFileSync(join(secrets, 'token'), 'utf8'), 'a secret\n')
    }
  },
)

t.test('a claim that the application listens at keeps nothing from starting', { skip }, async t => {
  const { logs, receiver, start, application } = await pod(t)
  application('echo "a line" > app.log; mkdir .logshipper')
  const listener = leash(
    spawn(
      process.execPath,
      [
        '-e',
        `require('net').createServer(s => s.end('+planted')).listen('.logshipper/claim.000000000000', () => console.log('up'))`,
      ],
      { uid: APPLICATION, gid: APPLICATION, cwd: logs, stdio: ['ignore', 'pipe', 'ignore'] },
    ),
  )
  t.teardown(() => listener.kill('SIGKILL'))
  await once(listener.stdout, 'data')
  const program = await start(join(logs, '.logshipper'))
  t.ok(await until(() => receiver.lines.includes('a line')))
  t.equal(await program.end(), 0)
})

t.test('a state directory that is removed while it runs is made and claimed again', { skip }, async t => {
  const { logs, receiver, start, application } = await pod(t)
  application('echo "one" > app.log')
  const state = join(logs, '.logshipper')
  const program = await start(state)
  t.ok(await until(() => receiver.lines.includes('one')))
  t.ok(await until(() => existsSync(join(state, 'checkpoint'))))
  application('mv .logshipper away; echo "two" >> app.log')
  t.ok(await until(() => existsSync(join(state, 'checkpoint'))))
  t.match(program.said(), /"state_replaced"/)
  t.ok(await until(() => readdirSync(state).some(name => /^claim\.[0-9a-f]{12}$/.test(name))))
  const second = await start(state)
  t.equal(await second.end(), 2)
  t.match(second.said(), /in use by another logshipper/)
  t.equal(await program.end(), 0)
  t.same(receiver.lines, ['one', 'two'])
})

t.test('a link to our own state among the logs is refused by name, and no loop begins', { skip }, async t => {
  const { logs, receiver, start, application } = await pod(t)
  application(
    'echo "a line" > app.log; ln -s .logshipper/checkpoint x.log; ln -s .logshipper/dead-letter/http.ndjson y.log',
  )
  const program = await start(join(logs, '.logshipper'))
  t.ok(await until(() => receiver.lines.includes('a line')))
  writeFileSync(join(logs, 'z.log'), 'another\n')
  t.ok(await until(() => receiver.lines.includes('another')))
  t.ok(await until(() => /"path_refused".*x\.log.*a file of our own state/.test(program.said())))
  t.equal(await program.end(), 0)
  t.same(receiver.lines.toSorted(), ['a line', 'another'])
})
