/**
 * What finding values needs while it looks at one record. It lies at the end of the tables of its source, so that these
 * are all that a pipeline has to keep.
 *
 *     ranks 64 │ stack 64 × 12 │ a name without its escapes │ names that were seen: stamp, 256 × 8
 */
export const RANKS: usize = 0
export const MOST_SLOTS: u32 = 64
export const STACK: usize = 64
export const UNESCAPED: usize = 832
/** No wanted name is longer. What is copied goes in steps of 8. */
export const UNESCAPED_BYTES: usize = 256
export const SEEN: usize = 1104
export const SCRATCH_BYTES: usize = 3168
