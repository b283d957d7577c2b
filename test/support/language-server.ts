/**
 * yaml-language-server over standard input and output (Language Server Protocol 3.17): what an editor would be told of a
 * document. It is given no schema but the one that a document names itself, and no catalogue, so it asks no network.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'

const PROGRAM = join(import.meta.dirname, '../../node_modules/yaml-language-server/bin/yaml-language-server')
const SETTINGS = {
  validate: true,
  hover: true,
  completion: true,
  schemaStore: { enable: false },
  kubernetesCRDStore: { enable: false },
}

export interface Place {
  readonly line: number
  readonly character: number
}

export interface Diagnostic {
  readonly message: string
  readonly range: { readonly start: Place }
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: unknown
}

export class LanguageServer {
  // tap hands its hooks down to every process by this variable, whatever environment it is given, and with them it does
  // not load.
  readonly #child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, PROGRAM, '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  readonly #answers = new Map<number, (message: Message) => void>()
  /** Resolves when it has asked for its settings, which it does before it looks at a document. */
  readonly #configured = Promise.withResolvers<void>()
  readonly #diagnosed = new Map<string, (all: readonly Diagnostic[]) => void>()
  #input = Buffer.alloc(0)
  #last = 0

  private constructor() {
    this.#child.stdout.on('data', (part: Buffer) => this.#read(part))
    this.#child.on('exit', (code, signal) => {
      const error = `yaml-language-server ended: ${signal ?? code}`
      for (const answer of this.#answers.values()) answer({ error })
      this.#configured.reject(new Error(error))
    })
    this.#configured.promise.catch(() => {})
  }

  static async start(t: Pick<Test, 'teardown'>): Promise<LanguageServer> {
    const server = new LanguageServer()
    t.teardown(() => void server.#child.kill())
    await server.#ask('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: {
        workspace: { configuration: true },
        textDocument: { hover: { contentFormat: ['plaintext'] }, completion: {}, publishDiagnostics: {} },
      },
    })
    server.#send({ method: 'initialized', params: {} })
    await server.#configured.promise
    // What is answered behind its settings is answered with them.
    await server.hover('/none.yaml', { line: 0, character: 0 })
    return server
  }

  /** Shows it a document as that of a file, and resolves to what it finds wrong with it. */
  open(file: string, text: string): Promise<readonly Diagnostic[]> {
    const uri = String(pathToFileURL(file))
    const found = new Promise<readonly Diagnostic[]>(resolve => this.#diagnosed.set(uri, resolve))
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'yaml', version: 1, text } },
    })
    return found
  }

  /** What is said of the place, as text. */
  async hover(file: string, position: Place): Promise<string> {
    const textDocument = { uri: String(pathToFileURL(file)) }
    const said = (await this.#ask('textDocument/hover', { textDocument, position })) as { contents: unknown } | null
    return JSON.stringify(said?.contents ?? '')
  }

  /** What could stand there. */
  async complete(file: string, position: Place): Promise<readonly string[]> {
    const textDocument = { uri: String(pathToFileURL(file)) }
    const said = await this.#ask('textDocument/completion', { textDocument, position })
    const items = (Array.isArray(said) ? said : (said as { items: unknown[] }).items) as { label: string }[]
    return items.map(({ label }) => label)
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#last
    this.#send({ id, method, params })
    return new Promise((resolve, reject) =>
      this.#answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${JSON.stringify(error)}`)),
      ),
    )
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #read(part: Buffer): void {
    this.#input = Buffer.concat([this.#input, part])
    for (;;) {
      const head = this.#input.indexOf('\r\n\r\n')
      if (head < 0) return
      const [, length] = /Content-Length: (\d+)/i.exec(this.#input.toString('latin1', 0, head))!
      const end = head + 4 + Number(length)
      if (this.#input.length < end) return
      const message = JSON.parse(this.#input.toString('utf8', head + 4, end)) as Message
      this.#input = this.#input.subarray(end)
      this.#take(message)
    }
  }

  #take(message: Message): void {
    const { id, method, params } = message
    if (method === undefined) {
      this.#answers.get(id!)?.(message)
      this.#answers.delete(id!)
    } else if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly Diagnostic[] }
      this.#diagnosed.get(uri)?.(diagnostics)
    } else if (id !== undefined) {
      // Its own questions: for settings, by section, and whether it may register what it can do.
      const items = (params as { items?: readonly { section?: string }[] } | undefined)?.items
      const result = items === undefined ? null : items.map(({ section }) => (section === 'yaml' ? SETTINGS : null))
      this.#send({ id, result })
      if (items !== undefined) this.#configured.resolve()
    }
  }
}
