/**
 * The kernel's door: the loops that touch every byte, over one fixed linear memory.
 */
export type Segment =
  /** The same bytes for every record. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  /** The frame, escaped for a JSON string (RFC 8259 §7), without the quotes. */
  | { readonly kind: 'message' }
  /** The frame's bytes, not escaped. */
  | { readonly kind: 'raw' }
  /** The frame's offset in its file: 12 hexadecimal digits; `base` is the offset of the chunk's first byte. */
  | { readonly kind: 'offset'; readonly base: number }
  /** A decimal number that starts at `value` and goes up by one per record. */
  | { readonly kind: 'counter'; readonly value: bigint }
