/** The page's script, run against a document that is just large enough for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createContext, Script } from 'node:vm'
import t from 'tap'
import type { Tally } from '../../src/ledger.ts'
import { status } from '../../src/server/admin.ts'
import { PAGE } from '../../src/server/page.ts'
import { SCRIPT } from '../../src/server/page-script.ts'
import { DOWN, Stage } from './rig.ts'

class Element {
  readonly children: Element[] = []
  readonly attributes = new Map<string, string>()
  textContent = ''
  className = ''
  hidden = false
  scope = ''
  value = ''
  /** What a press does. */
  press: () => unknown = () => t.fail('nothing listens')

  addEventListener(event: string, listener: () => unknown): void {
    t.equal(event, 'click')
    this.press = listener
  }
  append(...more: Element[]): void {
    this.children.push(...more)
  }
  replaceChildren(...more: Element[]): void {
    this.children.splice(0, this.children.length, ...more)
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value)
  }
  createTHead(): Element {
    return this.#add()
  }
  createTBody(): Element {
    return this.#add()
  }
  insertRow(): Element {
    return this.#add()
  }
  #add(): Element {
    const child = new Element()
    this.children.push(child)
    return child
  }

  get text(): string {
    return [this.textContent, ...this.children.map(({ text }) => text)].join('\n')
  }

  /** Of a table: the cells of each row of its body. */
  get rows(): string[][] {
    return this.children[0]!.children[1]!.children.map(({ children }) => children.map(({ textContent }) => textContent))
  }
}

/** The page, open in a document; `at` is a part of it by its id. */
class Opened {
  readonly #ids = new Map([...PAGE.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id!, new Element()]))
  readonly #stage: Stage
  readonly #document = {
    getElementById: (id: string) => this.#ids.get(id),
    createElement: () => new Element(),
    title: '',
    hidden: false,
    addEventListener: (event: string, listener: () => void) => {
      t.equal(event, 'visibilitychange')
      this.#onVisibility = listener
    },
  }
  #onVisibility = () => {}
  /** What the stream of records answers. */
  records: (path: string, signal: AbortSignal) => Promise<Response> = async path => t.fail(path) as never
  #now = Date.parse('2026-01-02T03:05:00.000Z')
  #again: (() => Promise<void>) | undefined
  fails = false

  constructor(stage: Stage) {
    this.#stage = stage
    new Script(SCRIPT).runInContext(
      createContext({
        document: this.#document,
        AbortSignal: { timeout: () => undefined },
        AbortController,
        TextDecoder,
        encodeURIComponent,
        setTimeout: (turn: () => Promise<void>) => {
          this.#again = turn
        },
        fetch: async (path: string, { signal }: { signal: AbortSignal }) => {
          if (path.startsWith('tap?')) return this.records(path, signal)
          t.equal(path, 'status?worst')
          if (this.fails) throw new Error('refused')
          const answer = { ...status(stage.snapshot(), 50), at: new Date(this.#now).toISOString() }
          return { json: async () => JSON.parse(JSON.stringify(answer)) }
        },
      }),
    )
  }

  /** It has what its latest request was answered. */
  async shown(): Promise<this> {
    while (this.#again === undefined) await sleep(1)
    return this
  }

  /** It asks again, so much later by the shipper's clock. */
  async later(seconds: number, more: { read?: number; delivered?: number } = {}): Promise<void> {
    this.#now += seconds * 1000
    const grown = ({ lines, bytes }: Tally, by = 0): Tally => ({ lines, bytes: bytes + by })
    this.#stage.accounts = this.#stage.accounts.map((account, index) => {
      const { read, delivered } = account.statement
      const by = index === 0 ? more : {}
      const statement = { ...account.statement, read: grown(read, by.read), delivered: grown(delivered, by.delivered) }
      return { ...account, statement }
    })
    const turn = this.#again!
    this.#again = undefined
    await turn()
  }

  get title(): string {
    return this.#document.title
  }

  hide(): void {
    this.#document.hidden = true
    this.#onVisibility()
  }

  at(id: string): Element {
    return this.#ids.get(id)!
  }

  curve(kind: 'read' | 'delivered'): string[] {
    const points = this.at(`curve-${kind}`).attributes.get('points') ?? ''
    return points === '' ? [] : points.split(' ')
  }
}

async function opened(stage: Stage): Promise<Opened> {
  const page = await new Opened(stage).shown()
  t.not(page.at('state').textContent, 'no answer', 'it can show what it got')
  return page
}

t.test('it shows the pod, the state of each backend, and what its server answered', async t => {
  const stage = new Stage()
  stage.healthy = { ...stage.healthy, status: 'degraded', backends: [{ ...DOWN, lagSeconds: 90 }] }
  const lastError = { reason: 'http_401', detail: 'no org id', at: '2026-01-01T00:00:00.000Z' }
  stage.piped = [{ ...stage.piped[0]!, lastError }]
  const page = await opened(stage)
  t.equal(page.title, 'web-0 · logshipper')
  t.equal(page.at('who').textContent, 'shop/web-0 on node-1')
  t.match(page.at('line').textContent, /^version 1\.2\.3, started .* ago; the process before it shut down cleanly$/)
  t.equal(page.at('faults').textContent, 'main is down: ECONNREFUSED')
  const [backend] = page.at('backends').rows
  t.match(backend, [
    'main (loki)\nhttps://logs.example:3100',
    'down: ECONNREFUSED\nfor 27 h\n3 attempts, next in 0.0 s',
    'http_401, 27 h ago\n“no org id”',
    '200 B',
    '90 s',
  ])
  t.match(page.at('files').text, '1.5 s', 'and how late each file is')
  t.equal(page.at('configuration').hidden, true)
})

t.test('a backend that dies and comes back is shown so, and so is a shipper that does not answer', async t => {
  const stage = new Stage()
  const page = await opened(stage)
  t.equal(page.at('faults').textContent, '')
  t.equal(page.at('backends').rows[0]![1], 'up')
  const { healthy } = stage
  stage.healthy = { ...healthy, status: 'degraded', backends: [DOWN] }
  await page.later(1)
  t.match(page.at('backends').rows[0]![1], /^down: ECONNREFUSED/)
  t.equal(page.at('state').textContent, 'degraded')
  stage.healthy = healthy
  await page.later(1)
  t.equal(page.at('backends').rows[0]![1], 'up')
  t.equal(page.at('faults').textContent, '')
  page.fails = true
  await page.later(1)
  t.equal(page.at('state').textContent, 'no answer')
  page.fails = false
  await page.later(1)
  t.equal(page.at('state').textContent, 'ok')
})

t.test('a configuration that was refused is shown with what is wrong with it', async t => {
  const stage = new Stage()
  const configuration = { kind: 'refused', since: '2026-01-02T03:04:05.678Z', problems: 1 } as const
  stage.healthy = { ...stage.healthy, status: 'degraded', configuration }
  stage.wrong = ['config.yaml:3: backends[0].typ: found <b>, allowed: type']
  const page = await opened(stage)
  t.equal(page.at('configuration').hidden, false)
  t.match(
    page.at('problems').textContent,
    /^The configuration was refused .* ago; the previous one stays in use\.\nconfig\.yaml:3: /,
  )
  t.equal(page.at('faults').textContent, 'An edit of the configuration was refused.')
})

t.test('it shows the process: which configuration is in effect, how the last one ended, memory and volume', async t => {
  const stage = new Stage()
  const page = await opened(stage)
  const fact = (name: string) => page.at('process').rows.find(([what]) => what === name)![1]
  t.equal(fact('version'), '1.2.3')
  t.equal(fact('process before it'), 'shut down cleanly')
  t.equal(fact('configuration'), 'in effect since 2026-01-02T03:04:05.678Z, 54 s ago\n2 reloads applied, 1 refused')
  t.equal(fact('memory'), '23.8 MiB of 128.0 MiB; memory.budget 8.0 MiB')
  t.equal(fact('volume'), '476.8 MiB of 953.7 MiB, full in 6 d at this rate')
  stage.healthy = {
    ...stage.healthy,
    previous: { kind: 'unclean', unsettledBytes: 2048, lostBytes: 7 },
    memory: { ...stage.healthy.memory, anonymous: null },
    volume: null,
  }
  await page.later(1)
  t.equal(fact('process before it'), 'did not shut down cleanly: 2.0 KiB were unacknowledged, 7 B lost')
  t.equal(fact('memory'), 'not known')
})

t.test('dead letters come with why they were rejected, and with the command that replays them', async t => {
  const stage = new Stage()
  const page = await opened(stage)
  t.strictSame(page.at('letters').rows, [
    [
      ...['main', '3 records', '1', '700 B', '400: 1 line'],
      'kubectl exec -n shop web-0 -c logshipper -- logshipper replay --backend main',
    ],
  ])
  stage.identity = { namespace: null, pod: null, node: null }
  stage.piped = [{ ...stage.piped[0]!, backend: "it's; rm" }]
  await page.later(1)
  t.equal(page.at('letters').rows[0]![5], "logshipper replay --backend 'it'\\''s; rm'")
})

t.test('the ledger has a sum, and one that does not add up is said to', async t => {
  const stage = new Stage()
  const [account] = stage.accounts
  stage.accounts = [account!, { ...account!, backend: 'audit' }]
  const page = await opened(stage)
  t.strictSame(page.at('ledger').rows.at(-1), [
    ...['sum', 'all', '20 lines\n2.0 KiB', '12 lines\n1.2 KiB', '2 lines\n200 B', '2 lines\n200 B'],
    ...['4 lines\n400 B', 'adds up', '14 B'],
  ])
  await page.later(1, { read: 1 })
  t.equal(page.at('ledger').rows.at(-1)!.at(-2), 'does not add up')
  t.equal(page.at('faults').textContent, 'The ledger does not add up.')
})

t.test('throughput is drawn from samples of five seconds, ten minutes of them at the most', async t => {
  const page = await opened(new Stage())
  t.strictSame(page.curve('read'), [])
  await page.later(4, { read: 100 })
  t.strictSame(page.curve('read'), [], 'one sample is no rate')
  await page.later(1, { read: 9900, delivered: 5000 })
  t.strictSame(page.curve('read'), ['600.0,0.0'])
  t.strictSame(page.curve('delivered'), ['600.0,50.0'], 'half as much')
  t.match(page.at('throughput-words').textContent, /^Delivered \(solid\) 1000 B\/s, read \(dashed\) 2\.0 KiB\/s; /)
  for (let n = 0; n < 200; n++) await page.later(5, { read: 1, delivered: 1 })
  t.equal(page.curve('read').length, 120)
  t.match(page.at('throughput-words').textContent, /in 10 min,/)
  await page.later(5, { read: -500, delivered: -500 })
  t.strictSame(page.curve('read'), [], 'a new process counts anew')
})

t.test('of very many files those that are furthest behind are shown, and names can do nothing', async t => {
  const stage = new Stage()
  const [file] = stage.followed
  const cursor = file!.cursors[0]!
  stage.followed = Array.from({ length: 10_000 }, (_, n) => ({
    ...{ ...file!, path: `/var/log/${n}.log` },
    cursors: [{ ...cursor, lagSeconds: n }],
  }))
  const hostile = `/${'x'.repeat(4000)}<img src=x onerror=alert(1)>\x1b[2J\n\u202egol.log`
  stage.unopened = [
    { ...file!, path: hostile, generation: null, state: 'waiting', cursors: [{ ...cursor, lagSeconds: 99_999 }] },
  ]
  const page = await opened(stage)
  const { rows } = page.at('files')
  t.equal(rows.length, 50)
  t.equal(page.at('files-more').textContent, 'and 9,951 more')
  t.equal(rows[1]![0], '/var/log/9999.log')
  t.equal(rows[0]![0]!.length, 201)
  t.match(rows[0]![0], '<img src=x onerror=alert(1)>\\u001b[2J\\u000a\\u202egol.log')
  t.equal(rows[0]![2], 'waiting for a descriptor')
})

t.test('where nothing is known of the pod it shows the rest', async t => {
  const stage = new Stage()
  stage.identity = { namespace: null, pod: null, node: null }
  stage.piped = [{ ...stage.piped[0]!, endpoint: null, deadLetters: null }]
  const page = await opened(stage)
  t.equal(page.title, 'logshipper')
  t.equal(page.at('who').textContent, '')
  t.match(page.at('backends').rows[0], ['main (loki)', 'up'])
  t.match(page.at('letters').text, 'no backend keeps any')
})

/** A stream of records that the test writes. */
class Written {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  readonly asked: string[] = []
  ended = false
  readonly answer = async (path: string, signal: AbortSignal): Promise<Response> => {
    this.asked.push(path)
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller
      },
    })
    signal.addEventListener('abort', () => {
      this.ended = true
      this.#controller!.error(new Error('aborted'))
    })
    return new Response(body)
  }

  write(text: string): void {
    this.#controller!.enqueue(Buffer.from(text))
  }

  close(): void {
    this.#controller!.close()
  }
}

const RECORD = {
  ...{ at: '2026-01-02T03:04:05.678Z', verdict: 'rejected', reason: 'http_400', source: 'app', backend: 'main' },
  ...{ file: '/var/log/app.log', offset: 1234, text: '<b>\x1b[2J', bytes: 6 },
}

/** Until it is so. */
async function becomes(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(1)
}

t.test('records are shown from a press of the button to the next, the newest first, and can do nothing', async t => {
  const page = await opened(new Stage())
  const written = new Written()
  page.records = written.answer
  const shown = () => page.at('records')
  t.match(shown().text, 'none')
  page.at('records-text').value = 'a&b'
  page.at('records-button').press()
  await becomes(() => written.asked.length === 1)
  t.strictSame(written.asked, ['tap?text=a%26b&source=&backend='])
  t.match(shown().text, 'no record yet')
  t.equal(page.at('records-button').textContent, 'Stop')
  const line = JSON.stringify(RECORD)
  written.write(line.slice(0, 20))
  written.write(`${line.slice(20)}\n\n${JSON.stringify({ ...RECORD, verdict: 'delivered', reason: null })}\n`)
  await becomes(() => shown().children[0]?.children.length === 2)
  t.strictSame(shown().rows, [
    [RECORD.at, 'delivered', 'app', 'main', '/var/log/app.log:1,234', '<b>\\u001b[2J'],
    [RECORD.at, 'rejected\nhttp_400', 'app', 'main', '/var/log/app.log:1,234', '<b>\\u001b[2J'],
  ])
  const skips = JSON.stringify({ at: RECORD.at, skipped: 7, why: 'rate' })
  written.write(`${`${line}\n`.repeat(150)}${skips}\n`)
  await becomes(() => page.at('records-more').textContent !== '')
  t.match(page.at('records-more').textContent, /^7 records skipped/)
  t.equal(shown().rows.length, 100)
  page.at('records-button').press()
  t.ok(written.ended)
  t.equal(page.at('records-state').textContent, 'stopped')
  t.equal(page.at('records-button').textContent, 'Start')
})

t.test('records end when the page is hidden or the shipper ends them, and why they are refused is said', async t => {
  const page = await opened(new Stage())
  const state = () => page.at('records-state').textContent
  page.records = async () => new Response('records are not shown: server.tap is false\n', { status: 403 })
  await page.at('records-button').press()
  t.equal(state(), 'records are not shown: server.tap is false')
  const written = new Written()
  page.records = written.answer
  const ended = page.at('records-button').press()
  await becomes(() => written.asked.length === 1)
  written.close()
  await ended
  t.equal(state(), 'the shipper ended the stream')
  page.at('records-button').press()
  await becomes(() => written.asked.length === 2)
  page.hide()
  t.equal(state(), 'stopped, for the page was hidden')
  t.ok(written.ended)
})
