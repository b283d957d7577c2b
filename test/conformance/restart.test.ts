/** The program as a process, killed between two attempts: what it sends again it sends under the same ids. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Program, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { type Fault, ScriptedServer } from './server.ts'
import type { Subject } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

/** For longer than it lives. */
const DOWN: readonly Fault[] = Array.from({ length: 1000 }, () => ({
  kind: 'answer',
  answer: { status: 503, headers: {}, body: '' },
}))

/** A volume, a configuration for the subject, and lives of the program on it. */
async function volume(t: Test, subject: Subject) {
  const directory = scratch(t, {})
  const server = await ScriptedServer.start(t, subject)
  const logs = join(directory, 'logs')
  mkdirSync(logs)
  const config = join(directory, 'config.json')
  const entry = { ...subject.config(server.origin), retry: { initial: '10ms', max: '50ms' } }
  writeFileSync(
    config,
    JSON.stringify({
      sources: [{ paths: [join(logs, '*.log')] }],
      backends: [entry],
      state: { dir: join(directory, 'state') },
      server: { port: 'off', admin: 'off' },
    }),
  )
  const start = async (): Promise<Program> => {
    const program = new Program({ NODE_OPTIONS: '' }, ['run', '--config', config])
    t.teardown(() => program.child.kill('SIGKILL'))
    await program.started
    return program
  }
  const write = (from: number, to: number): void => {
    for (let n = from; n < to; n++) appendFileSync(join(logs, 'app.log'), `line ${n}\n`)
  }
  return { server, start, write }
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, n) => `line ${n}`)

t.jobs = 3
for (const subject of SUBJECTS) {
  t.test(
    `${subject.name}: killed while its server fails, and after it took what it does not confirm`,
    { buffered: true },
    async t => {
      const { server, start, write } = await volume(t, subject)
      server.faults.push(...DOWN)
      write(0, 5)
      const first = await start()
      t.ok(await until(() => server.seen.length >= 2), 'it retries')
      await first.kill('SIGKILL')
      const before = subject.decode(server.seen[0]!)
      server.faults.splice(0, server.faults.length, { kind: 'accepted' }, ...DOWN)
      const second = await start()
      t.ok(await until(() => server.stored.length >= 5), 'it was accepted, and nothing was said')
      await second.kill('SIGKILL')
      server.faults.length = 0
      write(5, 8)
      const third = await start()
      t.ok(await until(() => new Set(server.messages).size === 8))
      const { code, ledger } = await third.kill('SIGTERM')
      t.equal(code, 0)
      t.same(server.wrong, [])
      t.match(ledger, [{ statement: { read: { lines: 8 }, delivered: { lines: 8 }, rejected: {} } }])
      t.same([...new Set(server.messages)], lines(8), 'nothing is missing, in order')
      const { stored } = server
      if (stored.every(({ id }) => id === undefined)) return
      const ids = new Map([...before, ...stored].map(({ id, message }) => [id, message]))
      t.same([...ids.values()], lines(8), 'each line has one id in three lives')
    },
  )
}
