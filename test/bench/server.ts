/**
 * What the servers that the bench stands in for answer when everything was stored: their heads, with a Date where they
 * have one, and bodies of the size that theirs have. An answer of Elasticsearch 8 has an item for each document, as its
 * "Bulk API" shows them, and of each item as much as the request's `filter_path` asks for.
 *
 * Items are written once for each address and repeated, so an answer costs a copy of its bytes and nothing else.
 */

export const SERVERS = ['http', 'loki', 'elasticsearch'] as const
export type ServerName = (typeof SERVERS)[number]

/** How the body of a bulk answer is framed. Elasticsearch streams in chunks; its earlier releases gave lengths. */
export const FRAMINGS = ['chunked', 'length'] as const
export type Framing = (typeof FRAMINGS)[number]

/** Of a request's head what an answer depends on. */
export interface Head {
  readonly method: string
  readonly url: string
}

export interface Server {
  /** Whether the answer depends on how many documents came: bodies are looked through for line feeds only then. */
  readonly counts: boolean
  /** The whole answer, as it goes to the socket; the first part ends with its head. `lines`: line feeds in the body. */
  answer(head: Head, lines: number): Buffer[]
}

export function serverOf(name: ServerName, framing: Framing = 'chunked'): Server {
  switch (name) {
    case 'http':
      return { counts: false, answer: () => [text(`HTTP/1.1 200 OK\r\n${date()}content-length: 0\r\n\r\n`)] }
    case 'loki':
      return { counts: false, answer: () => [text(`HTTP/1.1 204 No Content\r\n${date()}\r\n`)] }
    case 'elasticsearch':
      return elasticsearch(framing)
  }
}

const text = (from: string): Buffer => Buffer.from(from, 'latin1')

let dated = { second: 0, field: '' }

/** Go's server writes it anew for each answer; the text is the same for a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dated.second) dated = { second, field: `Date: ${new Date(second * 1000).toUTCString()}\r\n` }
  return dated.field
}

/** The most that Elasticsearch writes as one chunk. */
const CHUNK = 256 * 1024
const FIELDS = 'X-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\n'

/** What Elasticsearch says of a document that was created, without the status that a bulk item has beside it. */
const DOCUMENT = {
  _index: 'logs-app-default',
  // As long as the ids that it gives.
  _id: 'XLkV5JABtqi1BREg-Ldw',
  _version: 1,
  result: 'created',
  _shards: { total: 2, successful: 1, failed: 0 },
  _seq_no: 1_234_567,
  _primary_term: 1,
}

function elasticsearch(framing: Framing): Server {
  const bulks = new Map<string, Bulk>()
  const bulkOf = (url: string): Bulk => {
    const known = bulks.get(url)
    if (known !== undefined) return known
    const bulk = bulkFor(url)
    bulks.set(url, bulk)
    return bulk
  }
  return {
    counts: true,
    answer({ method, url }, lines) {
      if (method === 'HEAD') return [text(`HTTP/1.1 200 OK\r\n${FIELDS}content-length: 0\r\n\r\n`)]
      if (method === 'GET') return framed('200 OK', text('{"cluster_name":"bench","status":"green"}'), 'length')
      if (!/\/_bulk\/?(\?|$)/.test(url)) return framed('201 Created', text(JSON.stringify(DOCUMENT)), 'length')
      // An action and a document each.
      return framed('200 OK', bodyOf(bulkOf(url), Math.floor(lines / 2)), framing)
    },
  }
}

function framed(status: string, body: Buffer, framing: Framing): Buffer[] {
  const head = `HTTP/1.1 ${status}\r\n${FIELDS}`
  if (framing === 'length') return [text(`${head}content-length: ${body.length}\r\n\r\n`), body]
  const parts = [text(`${head}transfer-encoding: chunked\r\n\r\n`)]
  for (let at = 0; at < body.length; at += CHUNK) {
    const part = body.subarray(at, at + CHUNK)
    parts.push(text(`${part.length.toString(16)}\r\n`), part, text('\r\n'))
  }
  parts.push(text('0\r\n\r\n'))
  return parts
}

/** Of one address: what stands before, for each document (with a comma in front), and behind. */
interface Bulk {
  readonly before: Buffer
  readonly item: Buffer
  readonly after: Buffer
  /** Items one behind the other, as many as were asked for so far. */
  items: Buffer
}

function bulkFor(url: string): Bulk {
  const query = new URL(url, 'http://cluster').searchParams
  const action = { create: { ...DOCUMENT, status: 201 } }
  const whole = { errors: false, took: 12, items: [action] }
  const filter = query.get('filter_path')
  const said = JSON.stringify(filter === null ? whole : (filtered(whole, filter.split(',')) ?? {}))
  const item = /\[(.*)\]/.exec(said)?.[1]
  // No word about items.
  if (item === undefined) return { before: text(said), item: text(''), after: text(''), items: text('') }
  const at = said.indexOf(item)
  return {
    before: text(said.slice(0, at)),
    item: text(`,${item}`),
    after: text(said.slice(at + item.length)),
    items: text(''),
  }
}

function bodyOf(bulk: Bulk, documents: number): Buffer {
  const { item, before, after } = bulk
  const length = item.length * documents
  if (bulk.items.length < length) bulk.items = Buffer.alloc(length * 2, item)
  return Buffer.concat([before, bulk.items.subarray(Math.min(1, length), length), after])
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/**
 * "Response filtering": of a value what any of the paths leads to. Members are named with wildcards, `**` stands for
 * any number of them, and arrays are gone through. Undefined: nothing.
 */
export function filtered(value: Json, paths: readonly string[]): Json | undefined {
  if (paths.includes('')) return value
  if (Array.isArray(value)) {
    const all = value.flatMap((each: Json) => filtered(each, paths) ?? [])
    return all.length === 0 ? undefined : all
  }
  if (typeof value !== 'object' || value === null) return undefined
  const kept: Record<string, Json> = {}
  for (const [name, member] of Object.entries(value)) {
    const below = filtered(
      member,
      paths.flatMap(path => behind(path, name)),
    )
    if (below !== undefined) kept[name] = below
  }
  return Object.keys(kept).length === 0 ? undefined : kept
}

/** What is left of a path behind a member: nothing where it does not lead there. */
function behind(path: string, name: string): string[] {
  const [first = '', ...rest] = path.split('.')
  if (first === '**') return [path, ...behind(rest.join('.'), name)]
  const pattern = first.split('*').map(part => part.replaceAll(/[^\w]/g, String.raw`\$&`))
  return new RegExp(`^${pattern.join('.*')}$`).test(name) ? [rest.join('.')] : []
}
