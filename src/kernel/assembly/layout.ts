/**
 * The first page of the memory, which the kernel keeps for itself, and all numbers that both sides must know: build.ts
 * writes those that index.ts exports beside the module, and the host reads them there.
 *
 *     0      64        128            4224       4272                                                       65536
 *     │ none │ scratch │ 256 shuffles │ patterns │ program: steps, then the literals and counters they name │ arena …
 *
 * A step is 16 bytes. The host writes them (`Kernel.template`); render.ts follows them.
 *
 *     0     4       8            16
 *     │ kind │ bytes │ address    │    literal   `bytes` bytes at `address`
 *     │ kind │ -     │ -          │    message, raw
 *     │ kind │ bytes │ address    │    members   as a literal: what stands before a frame that is no object
 *     │ kind │ table │ base (i64) │    offset    base + the frame's address, or its row in the table, unless that is 0
 *     │ kind │ bytes │ address    │    counter   `bytes` ASCII digits that end at `address`
 *     │ kind │ -     │ value      │    fixed64   the number itself (u64)
 *     │ kind │ where │ -          │    length    where the record at hand has it: render.ts's own note
 */
export const SCRATCH: usize = 64
/** What escape.ts looks up: 16 lanes for each mask of eight bits. */
export const SPREAD: usize = 128
/** And 16 quotes, 16 backslashes, 16 of the highest control character. */
export const PATTERNS: usize = 4224
export const PROGRAM: usize = 4272
export const ROOM_END: usize = 65536

/** Bytes of a step, and the kinds of steps: a segment's kind in capitals (`Segment`). */
export const STEP: usize = 16
export const LITERAL: u32 = 0
export const MESSAGE: u32 = 1
export const RAW: u32 = 2
export const OFFSET: u32 = 3
export const COUNTER: u32 = 4
export const FIXED64: u32 = 5
export const LENGTH: u32 = 6
export const MEMBERS: u32 = 7

/** Bytes of a length, whatever its value: 2^32 needs five groups of seven bits. */
export const LENGTH_BYTES: usize = 5
/** Digits of an offset. */
export const OFFSET_DIGITS: usize = 12
/** Digits that a counter may begin with, and the bytes it gets: one of all nines may still go up. */
export const COUNTER_DIGITS: usize = 20
export const COUNTER_BYTES: usize = 21

/** What `decode` can read. */
export const UTF_16LE: u32 = 0
export const UTF_16BE: u32 = 1
export const LATIN_1: u32 = 2
export const WINDOWS_1252: u32 = 3
