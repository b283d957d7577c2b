/**
 * The fingerprint: who a file is.
 *
 *     device + inode + birth     the same incarnation of the inode
 *     head                       hash of the first bytes, growing with the file up to 1 KiB, from byte 1
 *     marker                     checksum of the up to 64 bytes before an offset
 *
 * None of them is enough alone: inodes are reused, heads are alike, a truncated file grows past the old offset. A
 * reader that resumes, or goes on after a pause, checks all three; any mismatch is a new generation from zero.
 * A stranger that cannot be read simply does not match, and nothing throws. A file that we follow is another matter: a
 * disk that fails is no new generation, so `stands` says what the kernel said.
 */
import { hash } from 'node:crypto'
import { type BigIntStats, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/**
 * The hash of the first `length` bytes of a file, 0 to 1024; and their CRC-32, for the looks at a file that we follow:
 * many a second, and each together with a marker.
 */
export interface Head {
  readonly length: number
  readonly hash: string
  readonly crc?: number
}

/** The CRC-32 of the `length` bytes before an offset, 0 to 64. */
export interface Marker {
  readonly length: number
  readonly crc: number
}

/** Device, inode and birth time (nanoseconds; 0 where the file system has none), as decimal strings. */
export interface Inode {
  readonly dev: string
  readonly ino: string
  readonly birth: string
}

export const HEAD_BYTES = 1024
export const MARKER_BYTES = 64
const LINE_FEED = 10
/** So many NULs are room that was set aside, or a hole. */
const ROOM = Buffer.alloc(4)
export const NO_HEAD: Head = { length: 0, hash: '' }
export const NO_MARKER: Marker = { length: 0, crc: 0 }

// One scratch buffer for all: everything here is synchronous and none of it outlives the call.
const scratch = Buffer.alloc(HEAD_BYTES)

export function inodeOf(stats: BigIntStats): Inode {
  return { dev: String(stats.dev), ino: String(stats.ino), birth: String(stats.birthtimeNs) }
}

/** The key under which an open file is known: the same for all names of one inode. */
export function inodeKey(inode: Inode): string {
  return `${inode.dev}:${inode.ino}`
}

/** The bytes [`from`, `from` + `length`) of the file in scratch memory, or `undefined` if they are not all there. */
function take(fd: number, from: number, length: number): Buffer | undefined {
  let got = 0
  while (got < length) {
    const n = readSync(fd, scratch, got, length - got, from + got)
    if (n === 0) return undefined
    got += n
  }
  return scratch.subarray(0, length)
}

/** The same, and `undefined` too if they cannot be read. */
function peek(fd: number, from: number, length: number): Buffer | undefined {
  try {
    return take(fd, from, length)
  } catch {
    return undefined
  }
}

/** The head of a file whose first `known` bytes are there to stay. */
export function readHead(fd: number, known: number): Head | undefined {
  const length = Math.min(known, HEAD_BYTES)
  if (length === 0) return NO_HEAD
  const bytes = peek(fd, 0, length)
  return bytes && headOf(bytes)
}

/**
 * The head of a file of which nothing has been read yet, as far as whole lines go: what stands in front of the first
 * line end may still be written anew, as in a file that was allocated before it was written.
 */
export function readLines(fd: number, size: number): Head {
  const bytes = peek(fd, 0, Math.min(size, HEAD_BYTES))
  if (bytes === undefined) return NO_HEAD
  // A line that is longer than a head is not being written there any more, unless room was set aside for it.
  const whole = bytes.length === HEAD_BYTES && !bytes.includes(0)
  // Nor is what has room in front of it there to stay: a write may be seen half done. UTF-16 has no NULs in such a row.
  const room = bytes.indexOf(ROOM)
  const length = whole ? HEAD_BYTES : bytes.subarray(0, room < 0 ? bytes.length : room).lastIndexOf(LINE_FEED) + 1
  return length === 0 ? NO_HEAD : headOf(bytes.subarray(0, length))
}

export const NO_PREFIXES: readonly number[] = []

/** The CRC-32 of the first 64, 128, 192 … bytes of a file, as far as it has them and they belong to a head. */
export function readPrefixes(fd: number, size: number): readonly number[] {
  if (size < MARKER_BYTES) return NO_PREFIXES
  const prefixes: number[] = []
  const bytes = peek(fd, 0, Math.min(size, HEAD_BYTES))
  let crc = 0
  for (let end = MARKER_BYTES; bytes !== undefined && end <= bytes.length; end += MARKER_BYTES) {
    crc = crc32(bytes.subarray(end - MARKER_BYTES, end), crc)
    prefixes.push(crc)
  }
  return prefixes
}

/** As `readLines`, if what stands there still begins with `head`: undefined if it does not, or cannot be read. */
export function growHead(fd: number, size: number, head: Head): Head | undefined {
  const grown = readLines(fd, size)
  if (grown.length <= head.length) return headMatches(fd, head) ? head : undefined
  // `scratch` holds what was just read.
  return head.length === 0 || headOf(scratch.subarray(0, head.length)).hash === head.hash ? grown : undefined
}

function headOf(bytes: Buffer): Head {
  return { length: bytes.length, hash: digits(bytes, 20), crc: crc32(bytes) }
}

export function headMatches(fd: number, head: Head): boolean {
  return head.length === 0 || isHead(peek(fd, 0, head.length), head)
}

function isHead(bytes: Buffer | undefined, head: Head): boolean {
  return bytes !== undefined && headOf(bytes).hash === head.hash
}

export function markerOf(bytes: Uint8Array): Marker {
  return { length: bytes.length, crc: crc32(bytes) }
}

/** The marker before `offset`. */
export function readMarker(fd: number, offset: number): Marker | undefined {
  const length = Math.min(offset, MARKER_BYTES)
  if (length === 0) return NO_MARKER
  const bytes = peek(fd, offset - length, length)
  return bytes && markerOf(bytes)
}

/** The same, of bytes that are there to stay: undefined if there are NULs among them, which may be room set aside. */
export function readText(fd: number, offset: number): Marker | undefined {
  const bytes = peek(fd, Math.max(0, offset - MARKER_BYTES), Math.min(offset, MARKER_BYTES))
  return bytes === undefined || bytes.includes(0) ? undefined : markerOf(bytes)
}

export function markerMatches(fd: number, offset: number, marker: Marker): boolean {
  return marker.length === 0 || isMarker(peek(fd, offset - marker.length, marker.length), marker)
}

function isMarker(bytes: Buffer | undefined, marker: Marker): boolean {
  return bytes !== undefined && crc32(bytes) === marker.crc
}

/** Whether the marker before `offset` and the head still stand in a file that we follow. Throws if it cannot be read. */
export function stands(fd: number, offset: number, marker: Marker, head: Head): boolean {
  if (marker.length > 0 && !isMarker(take(fd, offset - marker.length, marker.length), marker)) return false
  if (head.length === 0) return true
  const bytes = take(fd, 0, head.length)
  if (head.crc === undefined || bytes === undefined) return isHead(bytes, head)
  return crc32(bytes) === head.crc
}

/**
 * The id of a generation: 16 hexadecimal digits. `epoch` is random and as old as the state directory, so that ids are
 * never reused after the state was lost; `incarnation` tells generations of one inode apart (0, or the time of the
 * truncation in milliseconds).
 */
export function generationId(epoch: string, inode: Inode, incarnation: number): string {
  return digits(`${epoch}/${inode.dev}/${inode.ino}/${inode.birth}/${incarnation}`, 16)
}

/** The id of a generation that begins with `line`, of which the first KiB counts. */
export function identifiedId(bare: string, line: Uint8Array): string {
  return digits(Buffer.concat([Buffer.from(bare), line.subarray(0, HEAD_BYTES)]), 16)
}

/** The id that records carry: another one for each salt. */
export function saltedId(id: string, salt: string): string {
  return salt === '' ? id : digits(`${id}/${salt}`, 16)
}

/** The first hexadecimal digits of a hash. Made from the bytes: a part of a longer text would keep all of that. */
function digits(of: string | Buffer, count: number): string {
  return hash('sha1', of, 'buffer').toString('hex', 0, count / 2)
}
