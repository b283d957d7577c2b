/**
 * A table of an automaton, byte by byte. It holds no addresses, so it lies wherever it is copied to. Numbers are u16, the
 * lowest byte first, unless something else is said; src/kernel/assembly/process/layout.ts has the same constants.
 *
 *     0                              32                        288                                        bytes
 *     │ head                         │ a column for each byte  │ rows: one for each state …                │
 *
 * The head:
 *
 *     0   mode      FIRST or EVERY
 *     2   special   the first row that says something: those before it say nothing, so a step is one comparison
 *     4   decided   the first row behind which nothing can change
 *     6   dead      the last row: nothing matches any more
 *     8   edge      column for the end of the text
 *     10  says      column for what a state says
 *     12  starts    rows to begin with where there is nothing before the text, a line feed, a letter or digit or _, or
 *                   another byte: four u16
 *     20  stride    bytes of a row
 *     24  bytes     of the whole table (u32)
 *
 * A row is a u16 for each column; a state is how far its row is from the first one, and a column is where its u16 is
 * in a row. So one step is
 *
 *     state = u16 at rows + state + column[byte]
 *
 * and rows are at most 64 KiB. What a state says is about the place *before* the byte that led to it: whether something
 * ends at an assertion or in the middle of a character is known only then. The end of the text is a byte of its own.
 * FIRST: 1 + the number of the expression that matches up to there; the last one said is the match that RE2 finds.
 * EVERY: a bit for each expression that matches; a bit is said once.
 */

export const FIRST = 1
export const EVERY = 2

export const MODE = 0
export const SPECIAL = 2
export const DECIDED = 4
export const DEAD = 6
export const EDGE_COLUMN = 8
export const SAYS_COLUMN = 10
export const STARTS = 12
export const STRIDE = 20
export const BYTES = 24
export const COLUMNS = 32
export const ROWS = 288
