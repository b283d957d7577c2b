/**
 * The parameters of `render`, by name: exported globals that the host sets before it calls (`Kernel.template`,
 * `Kernel.render`). Addresses and numbers of bytes, unless something else is said.
 */

// How records look. The host sets these with a template, and they hold until the next one.

/** How many steps the program has. */
export let steps: u32 = 0
/** Frames are text: they lose one CR at the end, the NULs at the head, and a byte order mark there. */
export let trim: bool = false
/** Something among the steps counts up. */
export let counts: bool = false
/** There is a length among the steps. */
export let measures: bool = false
/** What a message and a record may have at the most. */
export let messageBytes: usize = 0
export let recordBytes: usize = 0
/** Where the message of a record stands in its row, if it has one: a slot, or NO_SLOT. */
export let messageSlot: u32 = 0xff
/** A message that is blank is none: then the frame is. */
export let refusesBlank: bool = false
/** Times of rows that are used, the first and the last; others are none. */
export let oldest: i64 = i64.MIN_VALUE
export let newest: i64 = i64.MAX_VALUE

/** Where a row has the number of its partition, and where the texts of partitions are; 0: there are none. */
export let partitionAt: usize = 0
export let partitionTexts: usize = 0
/** Records of each partition are enclosed in its own group: two literals behind the program say what stands between. */
export let encloses: bool = false

// What is rendered, and where to. The host sets these for each call.

/** The partition whose group is open. */
export let opened: u32 = 0
/** The table of u32 that says where frames end, the row of the first, how many there are, and where that one begins. */
export let ends: usize = 0
export let first: u32 = 0
export let count: u32 = 0
export let start: usize = 0
/** The rows of those frames' table, and how many bytes each has; 0: there are none. */
export let rows: usize = 0
export let rowBytes: usize = 0
/** The table of u32 beside that of ends, while frames are processed: see process/select.ts. */
export let column: usize = 0
/** Where records go, and the first byte that may not be written. */
export let out: usize = 0
export let limit: usize = 0
/** Something in the frames is not UTF-8, and is replaced by U+FFFD if they are text. */
export let repair: bool = false
/** The first frame stands at the head of a file: if it is text a byte order mark is left out there. */
export let atFileStart: bool = false
/** Of the first frame nothing is shown that was found in it but its time and level: it is its own message. */
export let bare: bool = false
/** The first frame is cut where it would be too long for its record, for its message or for the space there is. */
export let cut: bool = false
