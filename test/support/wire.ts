/**
 * A wire between the program and its receiver that fails below HTTP: it carries bytes through, or treats each connection
 * as it is told. Its port stays the same whatever it does, also while nothing listens there.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What becomes of one connection of the program. */
export type Treatment = (near: Socket) => void

export class Wire {
  /** Connections that the program opened, and bytes that it sent. */
  connections = 0
  bytes = 0
  readonly #far: URL
  readonly #open = new Set<Socket>()
  readonly #server = createServer(near => this.#accept(near))
  #treatment: Treatment | undefined
  #port = 0

  private constructor(far: URL) {
    this.#far = far
  }

  /** `far`: the receiver's address, where requests go while the wire is whole. */
  static async lay(t: Test, far: string): Promise<Wire> {
    const wire = new Wire(new URL(far))
    await wire.join()
    t.teardown(() => wire.cut())
    return wire
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#far.pathname}`
  }

  /** From now on each connection is treated so, the present ones are dropped; `undefined`: it carries through. */
  treat(treatment: Treatment | undefined): void {
    this.#treatment = treatment
    this.#drop()
  }

  /** Nothing listens any more. */
  async cut(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#drop()
    await closed
  }

  /** It listens again, at the same port as before. */
  async join(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  #drop(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #accept(near: Socket): void {
    this.connections++
    this.#keep(near)
    near.on('data', (data: Buffer) => {
      this.bytes += data.length
    })
    if (this.#treatment) {
      this.#treatment(near)
      return
    }
    const far = connect(Number(this.#far.port), this.#far.hostname)
    this.#keep(far)
    near.pipe(far).pipe(near)
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
  }

  #keep(socket: Socket): void {
    this.#open.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#open.delete(socket))
  }
}

/** Answers every piece of a request with `text`, whatever it is. */
export function answer(text: string): Treatment {
  return near => void near.on('data', () => near.write(text))
}
