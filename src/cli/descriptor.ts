/**
 * A descriptor of standard output or standard error that never blocks.
 *
 * Whether a descriptor blocks is a property of the open file description, which every process that inherited it shares.
 * So a pipe or a terminal is opened anew through /proc; where that is not permitted, and for a socket, which cannot be
 * opened anew, the inherited description is made non-blocking.
 */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { reopened } from '../descriptor.ts'

/** A descriptor of the same file that does not block. */
export function unblocked(fd: number): number {
  try {
    const stats = fstatSync(fd)
    // A file never blocks; opened anew it would have an offset of its own.
    if (stats.isFile()) return fd
    if (stats.isSocket()) return madeUnblocking(fd)
    return reopened(fd)
  } catch {
    return madeUnblocking(fd)
  }
}

/** libuv makes every pipe and socket that it takes over non-blocking. */
function madeUnblocking(fd: number): number {
  try {
    const socket = new Socket({ fd, readable: false, writable: true })
    socket.on('error', () => {})
    socket.unref()
  } catch {
    // It is closed, or nothing of the kind.
  }
  return fd
}
