/**
 * The demo's receiver: a small HTTP server that counts what it gets, and sometimes fails as real ones do.
 *
 * It keeps the number of every line and the id of every record, so that it can say on its own, without asking the
 * shipper, what arrived, what came twice, and whether a line that came twice carried the same id.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export class Receiver {
  readonly #server = createServer((request, response) => this.#take(request, response))
  readonly #seen = new Uint8Array(1_000_000)
  readonly #ids = new Set<string>()
  /** While true every request is refused with 503. */
  down = false
  lines = 0
  /** Lines whose number had not come before, and records whose id had not. */
  unique = 0
  duplicates = 0
  /** Lines that came twice under different ids: a receiver that honours ids could not have known. */
  unknownIds = 0
  requests = 0
  refused = 0

  listen(): Promise<number> {
    return new Promise(resolve => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port))
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** How many of the lines 0 … `count` − 1 never came. */
  missing(count: number): number {
    let missing = 0
    for (let number = 0; number < count; number++) if (this.#seen[number] === 0) missing++
    return missing
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      this.requests++
      if (this.down || this.requests % 11 === 0) {
        this.refused++
        response.writeHead(this.down ? 503 : 500).end()
        return
      }
      const body = Buffer.concat(parts)
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
      for (const line of text.split('\n')) if (line !== '') this.#count(JSON.parse(line) as Record<string, string>)
      response.writeHead(204).end()
    })
  }

  #count({ message, id }: Record<string, string>): void {
    const number = Number(message!.slice(0, 8))
    this.lines++
    const known = this.#ids.has(id!)
    this.#ids.add(id!)
    if (this.#seen[number] === 0) this.unique++
    else {
      this.duplicates++
      if (!known) this.unknownIds++
    }
    this.#seen[number] = 1
  }
}
