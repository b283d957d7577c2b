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

/**
 * A program for captures: as a table, it holds no addresses. Groups write spans: from and behind, two u32 for each group, all
 * bits set where a group took no part. A mask has a bit for each half of a span: 1 << (2 * group) for where it begins.
 *
 *     0   mode      ONE_PASS or TWO_PASS
 *     2   groups    how many spans there are
 *     4   bytes     of the whole program (u32)
 *     8   rows      where its rows begin, from the program's first byte (u32)
 *     12  masks     ONE_PASS: where the masks of slots begin (u32); TWO_PASS: where the sets of ways begin (u32)
 *     16  start     the row to begin with; TWO_PASS: the one behind the end of the text
 *     18  edge      ONE_PASS: the column of the end of the text; TWO_PASS: the row of the dead state
 *     20  skip      the column of what may be skipped
 *     22  loops     ONE_PASS: rows before this one are loops that can be skipped; TWO_PASS: the column of a row's number
 *     24  choices   TWO_PASS: where the choices begin (u32)
 *     28  head      TWO_PASS: the first choice of the point at the head of the text
 *     30  set       TWO_PASS: bytes of a set
 *     32  a column for each byte: halved under ONE_PASS, where a column has four bytes
 *     288 rows, and behind them what the head names
 *
 * ONE_PASS: an entry is u16 row to go to, u16 number of a mask. FAILED and DONE are no rows; rows are numbered from 4.
 * What may be skipped is three bytes at which the loop ends.
 *
 * TWO_PASS: an entry is the row of the state before that byte; behind the columns of bytes come three bytes at which a loop
 * ends, a byte that is 1 if it is one, and the number of the row, which is that of its set: a bit for each way that leads to
 * a match. A choice is u16 bit of a way, u16 first choice of the point that it leads to, or FINISHED, u32 mask of slots; the
 * last one of a point has NO_WAY for its bit.
 */
export const ONE_PASS = 3
export const TWO_PASS = 4

export const GROUPS = 2
export const PROGRAM_BYTES = 4
export const PROGRAM_ROWS = 8
export const MASKS = 12
export const SETS = 12
export const START = 16
export const LAST = 18
export const SKIP = 20
export const LOOPS = 22
export const CHOICES = 24
export const HEAD = 28
export const SET_BYTES = 30

/** In place of a row. */
export const FAILED = 0
export const DONE = 1
export const FIRST_ROW = 4
/** In place of a bit, and of a choice. */
export const NO_WAY = 0xffff
export const FINISHED = 0xfffe
/** Captures are looked for in so many bytes of a text. */
export const CAPTURED_BYTES = 65_535
/** Bytes of the spans, and of the room behind them that the two passes need for a text of that size. */
export const SPANS_BYTES = 128
export const CAPTURE_ROOM = 128 + 4 * 65_536
