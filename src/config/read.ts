/**
 * Reads a small text file, or says in words why that cannot be done. Never reads more than it was allowed to, never
 * waits for the other end of a pipe.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import { formatSize } from '../size.ts'

export type ReadText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent'; readonly found: string; readonly allowed: string }
  | { readonly kind: 'unreadable'; readonly found: string; readonly allowed: string }

/** `limit` in bytes. A UTF-8 byte order mark is taken off. */
export function readText(path: string, limit: number): ReadText {
  const allowed = `a UTF-8 file of at most ${formatSize(limit)}`
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return { kind: 'absent', found: 'no such file', allowed: 'a file that exists' }
    if (code === 'EACCES' || code === 'EPERM') {
      const uid = process.getuid?.() ?? '?'
      return { kind: 'unreadable', found: 'a file without permission', allowed: `a file that user ${uid} may read` }
    }
    return { kind: 'unreadable', found: `a file that cannot be opened (${code})`, allowed }
  }
  try {
    const stat = fstatSync(fd)
    if (stat.isDirectory()) return { kind: 'unreadable', found: 'a directory', allowed: 'a regular file' }
    if (!stat.isFile()) return { kind: 'unreadable', found: 'a pipe or a device', allowed: 'a regular file' }
    if (stat.size > limit) return { kind: 'unreadable', found: `${formatSize(stat.size)}`, allowed }
    const buffer = Buffer.alloc(limit + 1)
    let length = 0
    for (let read = -1; read !== 0 && length <= limit; length += read) {
      read = readSync(fd, buffer, length, buffer.length - length, null)
    }
    // Files of /proc and the like have no size until they are read.
    if (length > limit) return { kind: 'unreadable', found: `more than ${formatSize(limit)}`, allowed }
    const bytes = buffer.subarray(0, length)
    if (bytes[0] === 0xff && bytes[1] === 0xfe) return { kind: 'unreadable', found: 'UTF-16', allowed }
    if (bytes[0] === 0xfe && bytes[1] === 0xff) return { kind: 'unreadable', found: 'UTF-16', allowed }
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    const code = codeOf(error)
    const found =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'bytes that are not UTF-8' : `a file that cannot be read (${code})`
    return { kind: 'unreadable', found, allowed }
  } finally {
    closeSync(fd)
  }
}
