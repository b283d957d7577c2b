/**
 * The frames of a chunk while they are processed: parameters that the host sets beside those of a rendering (`ends`,
 * `first`, `count`, `start`, `rows`), and what lies beside each frame.
 */
/** The table of u32 beside that of ends, and bytes of a row. */
export let column: usize = 0
export let row: usize = 0
