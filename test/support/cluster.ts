/**
 * A small cluster that speaks the parts of Elasticsearch's API that the tests need: `_bulk` with `create`, where an id
 * can be taken once, `_refresh`, and `_search` with a scroll. It fails as it is told.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Test } from 'tap'

interface Document {
  readonly message: string
}

/** What is wrong with one item, as the cluster says it. */
export interface ItemError {
  readonly status: number
  readonly type: string
}

/** `refuse`: answers in place of the cluster, which takes nothing. `forget`: takes everything, and its answer is lost. */
export type Fault = 'none' | 'forget' | { readonly refuse: number; readonly body: string }

export class Cluster {
  readonly documents = new Map<string, Document>()
  requests = 0
  conflicts = 0
  /** Asked once per request, with its number from 1, and once per item. */
  fault: (request: number) => Fault = () => 'none'
  item: (document: Document, request: number) => ItemError | undefined = () => undefined
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  static async start(t: Test): Promise<Cluster> {
    const cluster = new Cluster()
    cluster.#server.listen(0, '127.0.0.1')
    await once(cluster.#server, 'listening')
    t.teardown(() => {
      cluster.#server.close()
      cluster.#server.closeAllConnections()
    })
    return cluster
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    try {
      for await (const part of request) parts.push(part as Buffer)
    } catch {
      return
    }
    const wire = Buffer.concat(parts)
    const body = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire).toString()
    const say = (status: number, said: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    }
    const path = request.url!.replace(/\?.*/, '')
    if (path.endsWith('/_bulk')) this.#bulk(body, response, say)
    else if (path.endsWith('/_search')) say(200, this.#page(0, JSON.parse(body).size))
    else if (path.endsWith('/_search/scroll')) {
      const [from, size] = String(JSON.parse(body).scroll_id).split(' ').map(Number) as [number, number]
      say(200, this.#page(from, size))
    } else say(200, {})
  }

  #bulk(body: string, response: ServerResponse, say: (status: number, said: unknown) => void): void {
    const number = ++this.requests
    const fault = this.fault(number)
    if (typeof fault === 'object') {
      response.writeHead(fault.refuse, { 'content-type': 'application/json' }).end(fault.body)
      return
    }
    const lines = body.split('\n').slice(0, -1)
    const items: object[] = []
    for (let at = 0; at < lines.length; at += 2) {
      const { _id } = (JSON.parse(lines[at]!) as { create: { _id: string } }).create
      items.push({ create: this.#create(_id, JSON.parse(lines[at + 1]!) as Document, number) })
    }
    if (fault === 'forget') response.socket?.destroy()
    else say(200, { errors: items.some(item => JSON.stringify(item).includes('"error"')), items })
  }

  #create(id: string, document: Document, request: number): object {
    const error = this.item(document, request)
    if (error) return { status: error.status, error: { type: error.type, reason: 'as the test wants it' } }
    if (this.documents.has(id)) {
      this.conflicts++
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason: 'document already exists' } }
    }
    this.documents.set(id, document)
    return { status: 201 }
  }

  #page(from: number, size: number): object {
    const hits = [...this.documents.values()].slice(from, from + size).map(_source => ({ _source }))
    return { _scroll_id: `${from + size} ${size}`, hits: { hits } }
  }
}
