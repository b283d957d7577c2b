/** The demo as a process: it ends by itself, its sums are right, and they are wrong where the shipper is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Application } from '../../src/cli/demo/application.ts'
import type { Receiver } from '../../src/cli/demo/receiver.ts'
import { View } from '../../src/cli/demo/view.ts'
import { until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { leash } from '../support/leash.ts'

// Each tells a story of eleven seconds, most of which is waiting.
t.jobs = 4

const SRC = join(import.meta.dirname, '../../src')

interface Told {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  output(): string
  /** What it left in its temporary directory. */
  left(): string[]
}

function tell(t: Test, dir: string, ...args: readonly string[]): Told {
  const tmp = join(dir, 'tmp')
  // Whatever the caller has configured is no part of the demo.
  const env = { PATH: process.env['PATH'], TMPDIR: tmp, LOGSHIPPER_SOURCE_PATHS: '/nowhere/*.log' }
  const child = leash(spawn(process.execPath, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }))
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return { child, ended, output: () => output, left: () => readdirSync(tmp) }
}

t.test('it tells its story to the end, and the sums are those of the receiver', async t => {
  const { ended, output, left } = tell(t, scratch(t, { tmp: {} }), join(SRC, 'main.ts'), 'demo')
  t.equal(await ended, 0, output())
  t.notMatch(output(), /Warning/)
  for (const sentence of ['The receiver is down', 'killed with SIGKILL', 'started again', 'It adds up.']) {
    t.match(output(), sentence)
  }
  const [, written] = /written by the application +(\d+)/.exec(output())!
  t.match(output(), new RegExp(`✓ received, each line once +${written}\\n`))
  t.match(output(), `${written} = ${written} + 0 + 0 + 0`)
  t.ok(Number(/(\d+) lines came twice/.exec(output())?.[1]) > 0, 'a death by SIGKILL is paid for')
  t.notMatch(output(), '\x1b', 'it does not draw where there is no terminal')
  t.strictSame(left(), [], 'it leaves nothing behind')
})

t.test('a shipper that forgets where it was is found out', async t => {
  const dir = scratch(t, { tmp: {} })
  const forgetful = join(dir, 'forgetful.ts')
  const demo = join(dir, 'demo.ts')
  writeFileSync(
    forgetful,
    `process.env['LOGSHIPPER_STATE_DIR'] = 'off'\nawait import(${JSON.stringify(join(SRC, 'main.ts'))})\n`,
  )
  writeFileSync(
    demo,
    `import { runDemo } from ${JSON.stringify(join(SRC, 'cli/demo.ts'))}\n` +
      `process.exit(await runDemo([${JSON.stringify(forgetful)}], process.stdout))\n`,
  )
  const { ended, output } = tell(t, dir, demo)
  t.equal(await ended, 1, output())
  t.match(output(), '✗')
  t.match(output(), 'IT DOES NOT ADD UP.')
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends it at once and leaves nothing behind`, async t => {
    const { child, ended, output, left } = tell(t, scratch(t, { tmp: {} }), join(SRC, 'main.ts'), 'demo')
    t.ok(await until(() => output().includes('received')))
    child.kill(signal)
    // Its end would have another code.
    t.equal(await ended, 130)
    t.notMatch(output(), /It adds up/)
    t.strictSame(left(), [])
  })
}

t.test('on a terminal the figures are drawn in their place, however narrow it is', async t => {
  let screen = ''
  const view = new View({ isTTY: true, columns: 40, write: (text: string) => (screen += text) })
  const application = { lines: 1_000_000, bytes: 5e9, rotations: 12 } as Application
  const receiver = { unique: 999_999, duplicates: 1, requests: 4, refused: 2 } as Receiver
  view.say('It begins.')
  view.show(application, receiver)
  view.show(application, receiver)
  view.say(`It ${'goes '.repeat(20)}on.`)
  view.end()
  view.say('It ends.')
  const sentences = /^It .*$/
  const rows = screen.split('\n').map(row => row.replaceAll(/\r|\x1b\[\d*[A-Z]/g, ''))
  t.ok(
    rows.every(row => sentences.test(row) || [...row].length < 40),
    'no row of figures wraps',
  )
  const ups = [...screen.matchAll(/\x1b\[(\d+)A\x1b\[J/g)].map(([, up]) => Number(up))
  t.strictSame(ups, [4, 4], 'it takes back exactly what it drew, and nothing at the end')
  t.match(screen, '99 % received')
})
