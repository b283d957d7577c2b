/**
 * The answers that a listener owes: to which connections, and how many bytes that their clients have not taken yet.
 *
 * Node parses pipelined requests as fast as they come and calls the handler for each, whether the answers are read or
 * not; so a single connection could have answers made until the heap is full. Guarantees: one answer is owed to a
 * connection at a time, a client that asks again before that loses the connection; the answers that are owed hold at most
 * `most` bytes, beyond which the connection that has been waiting the longest is destroyed.
 */
import type { Socket } from 'node:net'

export class Owed {
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
    // A client that was disconnected meanwhile is owed nothing any more.
    if (!this.#bySocket.has(socket)) return
    this.#bySocket.set(socket, bytes)
    this.#bytes += bytes
    for (const [longest, owed] of this.#bySocket) {
      if (this.#bytes <= this.#most) return
      if (longest === socket || owed === 0) continue
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
