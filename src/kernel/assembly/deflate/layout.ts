/**
 * The module's own memory: a window that slides over the payload, and the tables of one block.
 *
 *     0        64 KiB   96 KiB   128 KiB   192 KiB              320 KiB
 *     │ tables │ places │ window │ piece   │ sequences or folded │ output │
 *
 * A piece of the payload is brought in, becomes one block (RFC 1951 §3.2.3), and is taken out before the next comes in.
 * The last 32 KiB stay in the window, for the next piece may repeat them. So a payload of any size needs no more memory
 * than this, and its blocks may be put where it was.
 *
 * A piece is 64 KiB, so that a byte that slides into the window keeps the lower half of its address; see matches.ts.
 */

/** How far back a match may lie (RFC 1951 §3.2.5). */
export const REACH: usize = 32768
export const PIECE_BYTES: usize = 65536

/** Symbols of literals, of the end and of lengths, and of distances (RFC 1951 §3.2.5); those of the description (§3.2.7). */
export const LITERALS: u32 = 286
export const DISTANCES: u32 = 30
export const DESCRIPTORS: u32 = 19
/** The literal symbol that ends a block. Lengths follow it. */
export const END_OF_BLOCK: usize = 256
export const FIRST_LENGTH: usize = 257

/** An alphabet has three tables: how often each symbol is used (u32), its code (u32, see codes.ts), and its bits (u8). */
export const LITERAL_USES: usize = 4096 // what lies below is the compiler's
export const DISTANCE_USES: usize = LITERAL_USES + 288 * 4
export const DESCRIPTOR_USES: usize = DISTANCE_USES + 32 * 4
export const LITERAL_CODES: usize = DESCRIPTOR_USES + 32 * 4
export const DISTANCE_CODES: usize = LITERAL_CODES + 288 * 4
export const DESCRIPTOR_CODES: usize = DISTANCE_CODES + 32 * 4
export const LITERAL_BITS: usize = DESCRIPTOR_CODES + 32 * 4
export const DISTANCE_BITS: usize = LITERAL_BITS + 288
export const DESCRIPTOR_BITS: usize = DISTANCE_BITS + 32

/** For each length of a match, its symbol less 257 (u8), and its code with the extra bits in it (u32, see lengths.ts). */
export const LENGTH_SYMBOLS: usize = DESCRIPTOR_BITS + 32
export const LENGTH_CODES: usize = LENGTH_SYMBOLS + 260
/** The bits of both alphabets one behind the other, and the description that they become: u8, then u16. */
export const DESCRIBED: usize = LENGTH_CODES + 260 * 4
export const DESCRIPTION: usize = DESCRIBED + 320
/** While a code is made: the used symbols by rank (u16), their weights (u32), and codes of each number of bits (u32). */
export const RANKED: usize = DESCRIPTION + 320 * 2
export const WEIGHTS: usize = RANKED + 288 * 2
export const DEPTHS: usize = WEIGHTS + 288 * 4

export const PLACES: usize = 65536
export const PLACES_BYTES: usize = 32768
export const WINDOW: usize = PLACES + PLACES_BYTES
export const PIECE: usize = WINDOW + REACH
/** A match has four bytes at least, and takes eight here. Some more, for loops read a little further than they need to. */
export const SEQUENCES: usize = PIECE + PIECE_BYTES + 256
/** The checksum has had its turn before the matches are looked for. */
export const FOLDED: usize = SEQUENCES
export const OUTPUT: usize = SEQUENCES + (PIECE_BYTES / 4) * 8 + 256
/** A block is never longer than its piece stored, and a store is eight bytes wide. */
export const END: usize = OUTPUT + PIECE_BYTES + 256
