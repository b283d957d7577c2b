/**
 * The tap of the admin port: records with their verdicts as lines of JSON, until the client or the shipper ends it.
 *
 *     {"at":"…","verdict":"rejected","reason":"http_400","source":"app","backend":"main","file":"…","offset":90,…}
 *     {"at":"…","skipped":250,"why":"rate"}      more records than a viewer gets; "reader": they were not read in time
 *
 * Guarantees: what a client has not read is `MOST_PENDING` bytes at the most, beyond which records are dropped and
 * counted; a character that a terminal obeys, or that turns the direction of text, is escaped; neither a web page of
 * another origin nor a HEAD takes a place.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { MOST_VIEWERS, type TapFilter, type TappedRecord } from '../tap.ts'
import { type Page, type Stream, text } from './listen.ts'
import type { ShipperView } from './shipper-view.ts'

/** Bytes: two seconds of the longest records in plain letters. */
const MOST_PENDING = 256 * 1024
/** Characters of the text that records are looked for by. */
const LONGEST_TEXT = 256
const TYPE = 'application/x-ndjson; charset=utf-8'

/** How often it is said what was skipped: milliseconds. An empty line after so many times in which nothing was written. */
const TICK = 1000
const IDLE = 10

export interface TapParts {
  readonly shipper: ShipperView
  readonly clock: Clock
  readonly log: Logger
}

export function tapped({ method, headers }: IncomingMessage, params: URLSearchParams, parts: TapParts): Page | Stream {
  const site = headers['sec-fetch-site'] ?? 'none'
  if (headers.origin !== undefined || !['none', 'same-origin'].includes(String(site))) {
    return text(403, 'not from a page of another origin')
  }
  const filter = filterOf(params)
  const fault = faultOf(filter, parts.shipper)
  if (fault !== undefined) return text(400, fault)
  if (method === 'HEAD') return { ...text(200, ''), type: TYPE }
  const channel = new Channel(parts.clock)
  const opened = parts.shipper.tap.open(filter, {
    onRecord: record => channel.record(record),
    onForbidden: () => channel.end(),
  })
  switch (opened.kind) {
    case 'forbidden':
      return text(403, 'records are not shown: server.tap is false')
    case 'full':
      return text(429, `there are ${MOST_VIEWERS} viewers already: end one of them`)
    case 'open': {
      const { viewer } = opened
      const { source = null, backend = null } = filter
      parts.log.info({ event: 'tap_opened', source, backend }, 'records are shown on the admin port')
      const begin = (response: ServerResponse): void => {
        channel.begin(response, {
          takeSkipped: () => viewer.takeSkipped(),
          onClosed: () => parts.shipper.tap.close(viewer),
        })
      }
      return { type: TYPE, begin }
    }
  }
}

function filterOf(params: URLSearchParams): TapFilter {
  const of = (name: string): string | undefined => params.get(name) || undefined
  return { source: of('source'), backend: of('backend'), text: of('text') }
}

/** A name that is mistyped would show nothing, for ever. */
function faultOf({ source, backend, text: needle }: TapFilter, shipper: ShipperView): string | undefined {
  if (needle !== undefined && needle.length > LONGEST_TEXT) {
    return `text: found ${needle.length} characters; allowed: ${LONGEST_TEXT}`
  }
  const { sources, backends } = shipper.snapshot().health
  return unknown('source', source, sources) ?? unknown('backend', backend, backends)
}

function unknown(kind: string, wanted: string | undefined, all: readonly { readonly name: string }[]) {
  if (wanted === undefined || all.some(({ name }) => name === wanted)) return undefined
  const names = all.slice(0, 20).map(({ name }) => name)
  return `unknown ${kind} ${shown(wanted.slice(0, 100))}; configured: ${names.join(', ')}`
}

interface ChannelEvents {
  readonly takeSkipped: () => number
  readonly onClosed: () => void
}

/** One client's stream. */
class Channel {
  readonly #clock: Clock
  #response: ServerResponse | undefined
  #ended = false
  #cancel = () => {}
  /** Records, by why they were skipped. */
  readonly #skipped = { rate: 0, reader: 0 }
  #idle = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(response: ServerResponse, { takeSkipped, onClosed }: ChannelEvents): void {
    let closed = false
    const close = (): void => {
      if (closed) return
      closed = true
      this.#cancel()
      onClosed()
    }
    response.once('close', close)
    // A client that has just disconnected.
    response.on('error', () => {})
    if (response.destroyed || response.socket === null || response.socket.destroyed) {
      close()
      return
    }
    if (this.#ended) {
      response.end()
      return
    }
    this.#response = response
    const tick = (): void => {
      this.#skipped.rate += takeSkipped()
      this.#tell()
      this.#cancel = this.#clock.after(TICK, tick)
    }
    this.#cancel = this.#clock.after(TICK, tick)
  }

  record(record: TappedRecord): void {
    if (!this.#write(record)) this.#skipped.reader++
  }

  end(): void {
    this.#ended = true
    this.#response?.end()
  }

  #tell(): void {
    const at = new Date().toISOString()
    for (const why of ['rate', 'reader'] as const) {
      const skipped = this.#skipped[why]
      if (skipped > 0 && this.#write({ at, skipped, why })) this.#skipped[why] = 0
    }
    if (++this.#idle < IDLE) return
    this.#idle = 0
    // So that a client that has disconnected is noticed, and a quiet stream is not taken for a broken one.
    if (!this.#ended && this.#response?.writableLength === 0) this.#response.write('\n')
  }

  #write(line: object): boolean {
    const response = this.#response
    if (response === undefined || this.#ended || response.writableLength > MOST_PENDING) return false
    this.#idle = 0
    response.write(`${shown(JSON.stringify(line))}\n`)
    return true
  }
}

/** What some terminal obeys and JSON leaves as it is, and marks that turn the direction of text. */
const OBEYED = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

function shown(text: string): string {
  return text.replace(OBEYED, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
