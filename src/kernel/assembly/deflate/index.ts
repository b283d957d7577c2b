/**
 * What the module exports: DEFLATE (RFC 1951) at about the ratio of zlib's level 1, piece by piece, and the checksum.
 *
 * `begin`, then for each piece: bring its bytes to `PIECE`, call `deflate`, take the block out from `OUTPUT`. Every
 * piece but the last has `PIECE_BYTES` bytes. The same bytes always become the same blocks. A module of its own, with a
 * memory of its own: whatever went wrong here could not reach the log data that waits elsewhere, and a shipper that
 * does not compress never compiles it. The rules of ../index.ts hold here too.
 */
import { out, resume, writeTo } from './bits'
import { putBlock } from './block'
import { layLengths } from './lengths'
import { find, forget } from './matches'
import { OUTPUT, PIECE, PIECE_BYTES, REACH, WINDOW } from './layout'

export { fold, LEFT } from './checksum'
export { END, OUTPUT, PIECE, PIECE_BYTES } from './layout'

let fresh: bool = true

/** Begins a payload. */
export function begin(): void {
  forget()
  layLengths()
  resume(0, 0, OUTPUT)
  fresh = true
}

/** Makes one block of the `bytes` bytes at `PIECE`. Returns how many bytes of it lie at `OUTPUT`. */
export function deflate(bytes: usize, last: bool): usize {
  writeTo(OUTPUT)
  const to = PIECE + bytes
  // Before the first piece the window holds what was left there.
  const behind = find(PIECE, to, fresh ? PIECE : WINDOW)
  putBlock(PIECE, to, behind, last)
  fresh = false
  memory.copy(WINDOW, WINDOW + PIECE_BYTES, REACH)
  return out - OUTPUT
}
