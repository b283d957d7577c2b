/** The page's script, run against a document that is just large enough for it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createContext, Script } from 'node:vm'
import t from 'tap'
import { status } from '../../src/server/admin.ts'
import { PAGE } from '../../src/server/page.ts'
import { DOWN, Stage } from './rig.ts'

class Element {
  readonly children: Element[] = []
  textContent = ''
  className = ''
  hidden = false
  scope = ''

  append(...more: Element[]): void {
    this.children.push(...more)
  }
  replaceChildren(...more: Element[]): void {
    this.children.splice(0, this.children.length, ...more)
  }
  setAttribute(): void {}
  createTHead(): Element {
    return this.#add()
  }
  createTBody(): Element {
    return this.#add()
  }
  insertRow(): Element {
    return this.#add()
  }
  insertCell(): Element {
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
}

/** What the page shows of the stage, by the ids of its parts. */
async function shown(stage: Stage): Promise<(id: string) => Element> {
  const script = /<script>([\s\S]*?)<\/script>/.exec(PAGE)![1]!
  const ids = new Map([...PAGE.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id!, new Element()]))
  const document = { getElementById: (id: string) => ids.get(id), createElement: () => new Element(), title: '' }
  const answer = JSON.parse(JSON.stringify(status(stage.snapshot())))
  let asked = 0
  new Script(script).runInContext(
    createContext({
      document,
      AbortSignal: { timeout: () => undefined },
      setTimeout: () => {},
      fetch: async (path: string) => {
        t.equal(path, 'status')
        asked++
        return { json: async () => answer }
      },
    }),
  )
  while (asked === 0 || ids.get('state')!.textContent === '') await sleep(1)
  t.not(ids.get('state')!.textContent, 'no answer', 'it can show what it got')
  ids.set('title', Object.assign(new Element(), { textContent: document.title }))
  return id => ids.get(id)!
}

t.test('it shows the pod, the state of each backend, and what its server answered', async t => {
  const stage = new Stage()
  stage.healthy = { ...stage.healthy, status: 'degraded', backends: [{ ...DOWN, lagSeconds: 90 }] }
  const lastError = { reason: 'http_401', detail: 'no org id', at: '2026-01-01T00:00:00.000Z' }
  stage.piped = [{ ...stage.piped[0]!, lastError }]
  const at = await shown(stage)
  t.equal(at('title').textContent, 'web-0 · logshipper')
  t.equal(at('who').textContent, 'shop/web-0 on node-1')
  t.match(at('line').textContent, /^version 1\.2\.3, started /)
  const backends = at('backends').text
  for (const words of [
    'main (loki)\nhttps://logs.example:3100',
    'down: ECONNREFUSED\n3 attempts',
    '90 s',
    'no org id',
    '3 records, 700 B\n1 not kept',
  ]) {
    t.match(backends, words)
  }
  t.match(at('files').text, '1.5 s', 'and how late each file is')
  t.equal(at('configuration').hidden, true)
})

t.test('a configuration that was refused is shown with what is wrong with it', async t => {
  const stage = new Stage()
  const configuration = { kind: 'refused', since: '2026-01-02T03:04:05.678Z', problems: 1 } as const
  stage.healthy = { ...stage.healthy, status: 'degraded', configuration }
  stage.wrong = ['config.yaml:3: backends[0].typ: found <b>, allowed: type']
  const at = await shown(stage)
  t.equal(at('configuration').hidden, false)
  t.match(
    at('problems').textContent,
    /^The configuration was refused .* ago; the previous one stays in use\.\nconfig\.yaml:3: /,
  )
})

t.test('where nothing is known of the pod it shows the rest', async t => {
  const stage = new Stage()
  stage.identity = { namespace: null, pod: null, node: null }
  stage.piped = [{ ...stage.piped[0]!, endpoint: null, deadLetters: null }]
  const at = await shown(stage)
  t.equal(at('title').textContent, 'logshipper')
  t.equal(at('who').textContent, '')
  t.match(at('backends').text, 'main (loki)\nup')
})
