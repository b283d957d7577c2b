/**
 * One application writes what its backend refuses, line after line: what that costs the others. The program before a real
 * server.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Behaviour, Program, Receiver, sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'

t.jobs = 2
t.setTimeout(300_000)

const isBad = (line: string): boolean => line.startsWith('bad')

/** Refuses a request in which one line at least is bad, after so many milliseconds. */
const objects =
  (status = 400, ms = 0): Behaviour =>
  (_request, response, text) => {
    const lines = text.split('\n').slice(0, -1)
    const refused = lines.some(line => isBad((JSON.parse(line) as { message: string }).message))
    setTimeout(() => response.writeHead(refused ? status : 204).end(), ms)
    return !refused
  }

/** An Elasticsearch that fails over each bad line, and takes every other one. */
const cluster: Behaviour = (_request, response, text) => {
  const documents = text.split('\n').filter((line, index) => index % 2 === 1 && line !== '')
  const failed = documents.map(line => isBad((JSON.parse(line) as { message: string }).message))
  const error = { type: 'null_pointer_exception', reason: 'it is null' }
  const items = failed.map(each => ({ create: each ? { status: 500, error } : { status: 201 } }))
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errors: failed.includes(true), items }))
  return false
}

const bad = (count: number, from = 0): string => {
  let text = ''
  for (let n = 0; n < count; n++) text += `bad line ${from + n}\n`
  return text
}

interface Scene {
  readonly receivers: readonly Receiver[]
  /** A file of one of the sources. */
  file(source: 'noisy' | 'quiet', name?: string): string
  start(): Promise<Program>
  /** Lines by lines appended to a file, with pauses, until all of them have come; the receivers that have them. */
  honest(path: string, count: number): Promise<boolean>
  /** What has come twice, and what is not in the order in which it was written. */
  mistakes(): string[]
  /** Offsets of the lines that were rejected. */
  deadLetters(): number[]
}

/** Two sources; a backend for each behaviour, to which both go. */
async function scene(t: Test, behaviours: readonly (Behaviour | undefined)[], own: object = {}): Promise<Scene> {
  const dir = scratch(t, { noisy: {}, quiet: {} })
  const receivers = await Promise.all(behaviours.map(() => Receiver.start(t)))
  for (const [at, receiver] of receivers.entries()) receiver.behaviour = behaviours[at]
  const config = join(dir, 'logshipper.yaml')
  const sources = ['noisy', 'quiet'].map(name => ({ name, paths: [join(dir, name, '*.log')] }))
  const backends = receivers.map(({ url }, at) => ({
    ...{ name: `http-${at}`, type: 'http', endpoint: url, ids: true, deadLetter: {} },
    ...{ retry: { initial: '50ms', max: '1s' }, ...own },
  }))
  writeFileSync(config, JSON.stringify({ sources, backends, drain: { gracePeriod: '5s' } }))
  const state = join(dir, 'state')
  const env = {
    ...{ LOGSHIPPER_STATE_DIR: state, LOGSHIPPER_SERVER_PORT: '0', LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0' },
  }
  let written = 0
  const come = (receiver: Receiver, from: number, to: number): boolean => {
    const lines = new Set(receiver.lines)
    for (let n = from; n < to; n++) if (!lines.has(`good line ${n}`)) return false
    return true
  }
  return {
    receivers,
    file: (source, name = 'app.log') => join(dir, source, name),
    start: async () => {
      const program = new Program(env, ['--config', config])
      t.teardown(() => program.kill('SIGKILL'))
      await program.started
      return program
    },
    honest: async (path, count) => {
      const from = written
      while (written < from + count) {
        let text = ''
        for (let n = 0; n < 50; n++) text += `good line ${written++}\n`
        appendFileSync(path, text)
        await sleep(20)
      }
      return until(() => receivers.every(receiver => come(receiver, from, written)))
    },
    mistakes: () =>
      receivers.flatMap(({ records }) => {
        const numbers = new Map<string, number>()
        return records
          .filter(({ message, file }) => {
            const number = Number(message.slice('good line '.length))
            const before = numbers.get(file) ?? -1
            numbers.set(file, number)
            return number <= before
          })
          .map(({ message }) => message)
      }),
    deadLetters: () => {
      try {
        const letters = readFileSync(join(state, 'dead-letter', 'http-0.ndjson'), 'utf8')
          .split('\n')
          .slice(0, -1)
        return letters.map(letter => (JSON.parse(letter) as { offset: number }).offset)
      } catch {
        return []
      }
    },
  }
}

/** Ends it, and what its books say: every line is in one of them. */
async function books(t: Test, program: Program, delivered: number): Promise<void> {
  const { ledger } = await program.kill('SIGTERM')
  const sum = (of: Readonly<Record<string, { readonly lines: number }>>): number =>
    Object.values(of).reduce((all, { lines }) => all + lines, 0)
  let came = 0
  for (const { statement } of ledger) {
    const settled = statement.delivered.lines + sum(statement.rejected) + sum(statement.dropped)
    t.equal(statement.read.lines, settled + statement.inFlight.lines)
    came += statement.delivered.lines
  }
  t.equal(came, delivered, 'what came was delivered once')
}

const LINES = 200_000

t.test('two hundred thousand lines that are refused one by one, and another source of the same backend', async t => {
  const { receivers, file, start, honest, mistakes, deadLetters } = await scene(t, [objects()])
  writeFileSync(file('noisy'), bad(LINES))
  const program = await start()
  t.ok(await until(() => receivers[0]!.requests > 0), 'the first of them were refused')
  t.ok(await honest(file('quiet'), 2300))
  let more = 0
  const rejecting = until(async () => {
    // Something must be accepted, or it might be the address.
    more += 50
    return (await honest(file('quiet'), 50)) && deadLetters().length > 20
  })
  t.ok(await rejecting, 'and they are rejected meanwhile')
  t.strictSame(mistakes(), [])
  await books(t, program, 2300 + more)
  const letters = deadLetters()
  t.ok(letters.length < LINES, 'which is not done yet')
  t.equal(new Set(letters).size, letters.length, 'each of them is kept once')
})

/** How the lines are laid, and what is said to them. */
const FACES: Record<string, { behaviour?: Behaviour; files?: number; own?: object; line?: string; lines?: number }> = {
  'in fifty files': { files: 50 },
  'by a server that takes its time': { behaviour: objects(400, 300), lines: 50_000 },
  'as too large, though they are small': { behaviour: objects(413) },
  'in several requests at the same time': { own: { concurrency: 4 } },
  'and are long': { lines: 20_000, line: 'x'.repeat(1000) },
}

for (const [how, { behaviour = objects(), files = 1, own = {}, line = '', lines = LINES }] of Object.entries(FACES)) {
  t.test(`lines that are refused ${how} starve no other source`, async t => {
    const { receivers, file, start, honest, mistakes } = await scene(t, [behaviour], own)
    for (let n = 0; n < files; n++) {
      const text = line === '' ? bad(lines / files) : `bad ${line}\n`.repeat(lines / files)
      writeFileSync(file('noisy', `${n}.log`), text)
    }
    const program = await start()
    t.ok(await until(() => receivers[0]!.requests > 0))
    t.ok(await honest(file('quiet'), 300))
    t.ok(await honest(file('quiet', 'another.log'), 300), 'nor a file of it that is new')
    if (!('concurrency' in own)) t.strictSame(mistakes(), [])
    await books(t, program, 600)
  })
}

t.test('one file that is refused from end to end starves no other file of its source', async t => {
  const { receivers, file, start, honest, mistakes } = await scene(t, [objects()])
  writeFileSync(file('noisy', 'a.log'), bad(LINES))
  const program = await start()
  t.ok(await until(() => receivers[0]!.requests > 0))
  t.ok(await honest(file('noisy', 'b.log'), 300))
  appendFileSync(file('noisy', 'b.log'), 'bad line\n')
  t.ok(await honest(file('noisy', 'b.log'), 300), 'nor one with a bad line of its own')
  t.strictSame(mistakes(), [])
  await books(t, program, 600)
})

t.test('lines in another source are sent at once though a backend has only refused, and is waited for', async t => {
  const { file, start, honest } = await scene(t, [objects()], { retry: { initial: '1h', max: '1h' } })
  writeFileSync(file('noisy'), bad(100))
  const program = await start()
  t.ok(await until(() => program.says('backend misconfigured; retrying')))
  t.ok(await honest(file('quiet'), 50))
  t.ok(await until(() => program.says('backend recovered')))
  await program.kill('SIGTERM')
})

t.test('lines that one backend refuses starve no source at another one that takes them', async t => {
  const { file, start, honest, mistakes, receivers } = await scene(t, [objects(), undefined])
  writeFileSync(file('noisy'), bad(20_000))
  const program = await start()
  t.ok(await honest(file('quiet'), 300))
  t.ok(await until(() => receivers[1]!.records.length === 20_300), 'which has all of them')
  receivers[1]!.records.splice(0, Number.POSITIVE_INFINITY)
  t.strictSame(mistakes(), [])
  await program.kill('SIGTERM')
})

t.test('a death in the middle changes no id and starves no source', async t => {
  const { receivers, file, start, honest } = await scene(t, [objects()])
  writeFileSync(file('noisy'), bad(LINES))
  appendFileSync(file('quiet'), 'good line\n')
  const first = await start()
  t.ok(await honest(file('quiet'), 300))
  await first.kill('SIGKILL')
  const second = await start()
  t.ok(await honest(file('quiet'), 300))
  await second.kill('SIGTERM')
  const ids = new Map<string, Set<string | undefined>>()
  for (const { message, id } of receivers[0]!.records) ids.set(message, (ids.get(message) ?? new Set()).add(id))
  t.equal(ids.size, 601)
  t.ok([...ids.values()].every(each => each.size === 1 && !each.has(undefined)))
})

t.test(
  'lines over which a backend fails, each by its name, hold back no other source, and none is rejected',
  async t => {
    const good = new Set<string>()
    let failures = 0
    const counting: Behaviour = (request, response, text) => {
      for (const [message] of text.matchAll(/good line \d+/g)) good.add(message)
      failures += [...text.matchAll(/bad line/g)].length
      return cluster(request, response, text)
    }
    const own = { type: 'elasticsearch', deadLetter: undefined }
    const { file, start } = await scene(t, [counting], own)
    writeFileSync(file('noisy'), bad(5000))
    const program = await start()
    t.ok(await until(() => failures > 0))
    for (let n = 0; n < 300; n += 50) {
      appendFileSync(file('quiet'), Array.from({ length: 50 }, (_, at) => `good line ${n + at}\n`).join(''))
      t.ok(await until(() => good.size === n + 50), `${n + 50} lines`)
    }
    t.ok(await until(() => failures > 20), 'those that fail are retried meanwhile')
    const { ledger } = await program.kill('SIGTERM')
    const of = (name: string) => ledger.find(({ source }) => source === name)!.statement
    t.equal(of('quiet').delivered.lines, 300)
    const { read, delivered, inFlight, rejected } = of('noisy')
    t.strictSame([delivered.lines, Object.values(rejected)], [0, []])
    t.equal(read.lines, inFlight.lines, 'all that was read is in flight')
  },
)
