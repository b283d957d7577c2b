/** The process as others can reach it: what signals open, and what the image's flags shut. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import t from 'tap'
import { PROGRAM, Program, Stage } from './program.ts'
import { FLAGS } from './support/image.ts'

/** The ports of TCP that a process listens on, as the kernel says (proc(5)). */
function listening(pid: number): number[] {
  const sockets = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? []
      if (inode) sockets.add(inode)
    } catch {
      // It was closed meanwhile.
    }
  }
  const lines = ['tcp', 'tcp6'].flatMap(name => readFileSync(`/proc/${pid}/net/${name}`, 'latin1').split('\n').slice(1))
  return lines.flatMap(line => {
    const [, local, , state, , , , , , inode] = line.trim().split(/ +/)
    return state === '0A' && sockets.has(inode!) ? [Number.parseInt(local!.split(':')[1]!, 16)] : []
  })
}

const LINUX = process.platform === 'linux' ? false : 'there is no /proc on this machine'

for (const [how, flags] of [
  ['as it is', []],
  ['with the flags of the image', FLAGS],
] as const) {
  t.test(`SIGUSR1 opens no debugger and ends nothing, ${how}`, { skip: LINUX }, async t => {
    const stage = await Stage.set(t)
    const program = new Program(stage.env, [...flags, PROGRAM], { command: process.execPath })
    t.teardown(() => program.kill('SIGKILL'))
    await program.started
    const ours = program.said.find(({ msg }) => msg === 'listening')!
    program.child.kill('SIGUSR1')
    stage.write(100)
    t.ok(await stage.arrived(), 'it ships')
    t.strictSame(listening(program.child.pid!).sort(), [ours['port'], ours['adminPort']].sort())
    t.equal((await program.kill('SIGTERM')).code, 0)
    t.notMatch(program.raw, /Debugger/)
  })
}

t.test('the flags of the image leave no native addon, no __proto__ and no debugger by a signal', t => {
  t.ok(FLAGS.includes('--disable-sigusr1'))
  const script = `
    let addon
    try { process.dlopen({ exports: {} }, '/none') } catch ({ code }) { addon = code }
    console.log(addon, ({}).__proto__, ({ __proto__: { a: 1 } }).a)`
  const { stdout } = spawnSync(process.execPath, [...FLAGS, '-e', script], { encoding: 'utf8' })
  t.equal(stdout, 'ERR_DLOPEN_DISABLED undefined 1\n')
  t.end()
})
