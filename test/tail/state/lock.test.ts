import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { StateDirectory } from '../../../src/state.ts'
import { type Claimed, claim as claimState } from '../../../src/tail/state/lock.ts'
import { scratch } from '../../scratch.ts'
import { leash } from '../../support/leash.ts'
import { otherUser } from '../../support/otheruser.ts'
import { Journal } from '../rig.ts'

const CLAIM = join(import.meta.dirname, '../../../src/tail/state/lock.ts')
const STATE = join(import.meta.dirname, '../../../src/state.ts')
/** Claims a directory, says so, and waits to be killed. */
const HOLDER = `
  import { claim } from ${JSON.stringify(CLAIM)}
  import { StateDirectory } from ${JSON.stringify(STATE)}
  const quiet = { error() {}, warn() {}, info() {}, debug() {} }
  const { kind } = await claim(new StateDirectory(process.argv[1], quiet))
  process.stdout.write(kind)
  setInterval(() => {}, 1000)
`

const claim = (dir: string) => claimState(new StateDirectory(dir, new Journal()))
const sockets = (dir: string) => readdirSync(dir).filter(name => name.startsWith('claim'))
const held = (all: readonly Claimed[]) => all.flatMap(claimed => (claimed.kind === 'claimed' ? [claimed.claim] : []))

/** Leaves the sockets of programs that were killed. */
async function die(dir: string): Promise<void> {
  const child = leash(
    spawn(process.execPath, ['--input-type=module', '-e', HOLDER, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

t.test('of any number that begin together over a dead one exactly one is taken', async t => {
  for (let round = 0; round < 20; round++) {
    const dir = scratch(t)
    if (round % 5 === 0) await die(dir)
    const all = await Promise.all(Array.from({ length: 2 + (round % 7) }, () => claim(dir)))
    const [one, ...more] = held(all)
    t.ok(one)
    t.equal(more.length, 0)
    t.ok(all.every(({ kind }) => kind !== 'unknown'))
    t.equal(sockets(dir).length, 1, 'who is refused leaves nothing, and the dead are cleared away')
    one!.release()
    t.strictSame(sockets(dir), [])
  }
})

t.test('of any number of programs that begin together exactly one holds the directory', async t => {
  const dir = scratch(t)
  const children = Array.from({ length: 4 }, () =>
    leash(
      spawn(process.execPath, ['--input-type=module', '-e', HOLDER, dir], { stdio: ['ignore', 'pipe', 'inherit'] }),
    ),
  )
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const said = await Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))
  t.strictSame(said.toSorted(), ['claimed', 'held', 'held', 'held'])
})

t.test('a later process is told which process holds the lock, and gets it after a release', async t => {
  const dir = scratch(t)
  const first = await claim(dir)
  t.match(await claim(dir), { kind: 'held', by: `process ${process.pid} on ` })
  held([first])[0]!.release()
  const second = await claim(dir)
  t.equal(second.kind, 'claimed')
  held([second])[0]!.release()
})

t.test('a file that only has the name of a claim holds nothing', async t => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'claim.0123456789ab'), '')
  writeFileSync(join(dir, 'claim.txt'), '')
  const claimed = await claim(dir)
  t.equal(claimed.kind, 'claimed')
  held([claimed])[0]!.release()
  t.strictSame(sockets(dir), ['claim.txt'])
})

t.test('a state directory with a path longer than a socket may have can be claimed', async t => {
  const dir = join(scratch(t), 'a'.repeat(120), 'b'.repeat(120))
  const claimed = await claim(dir)
  t.equal(claimed.kind, 'claimed')
  t.equal((await claim(dir)).kind, 'held')
  held([claimed])[0]!.release()
})

t.test('where nothing can be written it cannot be told', async t => {
  const dir = scratch(t, { file: '' })
  t.strictSame(await claim(join(dir, 'file')), { kind: 'unknown', code: 'NOT_PRIVATE' })
})

const LISTENER = `
  import { createServer } from 'node:net'
  createServer(socket => socket.end('+process 1 on planted')).listen(process.argv[1], () => process.stdout.write('up'))
`

t.test('a socket that another user planted while it could does not prevent a start', { skip: otherUser }, async t => {
  // Its address has to be short.
  const dir = mkdtempSync(join(tmpdir(), 'logshipper-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o777)
  const args = ['--input-type=module', '-e', LISTENER, join(dir, 'claim.000000000000')]
  const child = leash(spawn(process.execPath, args, { uid: 65_534, gid: 65_534, stdio: ['ignore', 'pipe', 'inherit'] }))
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const claimed = await claim(dir)
  t.equal(claimed.kind, 'claimed')
  held([claimed])[0]!.release()
  t.strictSame(sockets(dir), [], 'it is removed')
})
