/**
 * The responses that a listener has not finished: of which connections, and how many bytes their clients have not read.
 *
 * Node parses pipelined requests as fast as they come and calls the handler for each, whether the answers are read or
 * not; so a single connection could have answers made until the heap is full. Guarantees: a connection
 * has one pending response at a time, and a client that asks again before it is written loses the connection; pending
 * responses hold at most `most` bytes, beyond which the connection that has been waiting the longest is destroyed.
 */
import type { Socket } from 'node:net'

export class PendingResponses {
  readonly #most: number
  readonly #bySocket = new Map<Socket, number>()
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Takes note of a request. Returns false if it must not be answered: the connection is destroyed. */
  begin(socket: Socket): boolean {
    // The parser goes on to the end of what it was given, whatever became of the connection.
    if (socket.destroyed) return false
    if (this.#bySocket.has(socket)) {
      socket.destroy()
      return false
    }
    this.#bySocket.set(socket, 0)
    return true
  }

  /** The answer is `bytes` long, and is about to be written. */
  answer(socket: Socket, bytes: number): void {
    // A client that was disconnected meanwhile has no pending response any more.
    if (!this.#bySocket.has(socket)) return
    this.#bySocket.set(socket, bytes)
    this.#bytes += bytes
    for (const [longest, pending] of this.#bySocket) {
      if (this.#bytes <= this.#most) return
      if (longest === socket || pending === 0) continue
      this.end(longest)
      longest.destroy()
    }
  }

  /** The answer was handed to the system, or the connection is gone. */
  end(socket: Socket): void {
    this.#bytes -= this.#bySocket.get(socket) ?? 0
    this.#bySocket.delete(socket)
  }
}
