/**
 * The transport to our own standard output.
 *
 * Guarantees: payloads appear whole and one after the other, however many are sent at once; a reader that is slow
 * holds back only us (`logshipper | less`), and one that has gone is reported to the owner once (`logshipper | head`).
 *
 * A pipe is opened anew through /proc, without blocking. Writing to the inherited one would either change the mode of
 * a description that other processes share, or leave a thread in `write` that the process cannot end without: a reader
 * that has stopped reading would then hold us beyond the drain deadline. A socket cannot be opened anew; there the mode
 * is changed, for the thread would hold us just the same.
 */
import { fstatSync, write } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { reopened } from '../../descriptor.ts'
import { codeOf } from '../../errors.ts'
import type { HttpRequest, Reply, Transport } from './transport.ts'

/** Milliseconds between attempts when a descriptor that does not block is full. */
const FULL_WAIT = 5

const WRITTEN: Reply = { kind: 'answer', answer: { status: 200, headers: {}, body: '' } }

/** Writes all of `body`, or rejects with an error that carries a code. */
type Write = (body: Buffer) => Promise<void>

export interface StreamTransportOptions {
  readonly fd: number
  /** Called once, when there is no reader any more. */
  readonly closed: () => void
}

export class StreamTransport implements Transport {
  readonly #closed: () => void
  readonly #write: Write
  readonly #socket: Socket | undefined
  readonly #terminal: boolean
  readonly #aborted = Promise.withResolvers<Reply>()
  #last: Promise<unknown> = Promise.resolve()
  #ended = false

  constructor({ fd, closed }: StreamTransportOptions) {
    this.#closed = closed
    this.#terminal = isatty(fd)
    this.#socket = unblocked(fd)
    this.#write = this.#socket ? throughSocket(this.#socket) : throughFile(fd)
  }

  async send({ body }: HttpRequest): Promise<Reply> {
    const turn = this.#last.then(() => this.#one(body))
    this.#last = turn
    return Promise.race([turn, this.#aborted.promise])
  }

  reload(): boolean {
    return false
  }

  abort(): void {
    this.#ended = true
    this.#aborted.resolve({ kind: 'failure', code: 'ABORTED', sentBefore: true })
    this.#socket?.destroy()
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#socket?.destroy()
  }

  /**
   * The transport for one user among several that follow each other. What one has begun to write is written to its end
   * in any case, for half a line would stay what the next one begins behind.
   */
  lend(): Transport {
    const aborted = Promise.withResolvers<Reply>()
    return {
      send: request => Promise.race([this.send(request), aborted.promise]),
      reload: () => false,
      abort: () => aborted.resolve({ kind: 'failure', code: 'ABORTED', sentBefore: true }),
      close: async () => {},
    }
  }

  async #one(body: Buffer): Promise<Reply> {
    if (this.#ended) return { kind: 'failure', code: 'ABORTED', sentBefore: false }
    try {
      await this.#write(body)
      return WRITTEN
    } catch (error) {
      const code = codeOf(error)
      // A terminal that was closed answers EIO.
      if ((code === 'EPIPE' || (code === 'EIO' && this.#terminal)) && !this.#ended) {
        this.#ended = true
        this.#closed()
      }
      return { kind: 'failure', code, sentBefore: true }
    }
  }
}

/** A pipe of our own to the same reader, or the socket; `undefined` if `fd` is neither. */
function unblocked(fd: number): Socket | undefined {
  try {
    const stats = fstatSync(fd)
    if (stats.isSocket()) return written(fd)
    return stats.isFIFO() ? written(ourOwn(fd)) : undefined
  } catch {
    return undefined
  }
}

/** `fd` itself where another user's pipe may not be opened: then its mode is changed. */
function ourOwn(fd: number): number {
  try {
    return reopened(fd)
  } catch {
    return fd
  }
}

function written(fd: number): Socket {
  const socket = new Socket({ fd, readable: false, writable: true })
  // Errors come through the callbacks of `write`; without a listener they would also be thrown.
  socket.on('error', () => {})
  return socket
}

function throughSocket(socket: Socket): Write {
  return body => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.write(body, error => (error ? reject(error) : resolve()))
    return promise
  }
}

function throughFile(fd: number): Write {
  return async body => {
    let at = 0
    while (at < body.length) {
      const { promise, resolve, reject } = Promise.withResolvers<number>()
      write(fd, body, at, body.length - at, null, (error, written) => {
        if (!error) resolve(written)
        else if (error.code === 'EAGAIN') setTimeout(resolve, FULL_WAIT, 0)
        else reject(error)
      })
      at += await promise
    }
  }
}
