/**
 * A table of an automaton, byte by byte. It holds no addresses, so it lies wherever it is copied to. Numbers are u16,
 * the lowest byte first, unless something else is said; src/kernel/assembly/process/layout.ts has the same constants.
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
 * A program for captures: as a table, it holds no addresses. Groups write spans: from and behind, two u32 for each
 * group, all bits set where a group took no part. A mask of slots has a bit for each half of a span: 1 << (2 * group)
 * for its beginning.
 *
 *     0   mode      CAPTURES
 *     2   groups    how many spans there are
 *     4   bytes     of the whole program (u32)
 *     8   moves     where the moves begin, from the program's first byte (u32)
 *     12  masks     where the masks of slots begin, a u32 each (u32)
 *     16  start     the row to begin with; the row 0 is the dead state's (u32)
 *     20  loops     rows up to this place are loops that can be skipped (u32)
 *     24  last      the column of the end of the text
 *     26  skip      the column of the four bytes at which a loop ends
 *     28  said      moves from this one on say that something matches
 *     32  half of a column for each byte
 *     288 rows │ moves │ masks │ begins
 *
 * An entry of a row is a u32: 18 bits for the row to go to, 14 bits for the place of a move in words of four bytes; 0
 * is a move that needs no note. A move is a word for who matches before the byte, or NOTHING, and a word for each
 * thread behind it: u16 the thread that it comes from, u16 the number of the mask of the slots that get the place of
 * the byte. Of a program for matches whose beginning is known, begins are the rows to begin with, as `starts` of a
 * table: four u32, the last bytes of the program.
 */
export const CAPTURES = 3

export const BEGINS_BYTES = 16

export const GROUPS = 2
export const PROGRAM_BYTES = 4
export const MOVES = 8
export const MASKS = 12
export const START = 16
export const LOOPS = 20
export const LAST = 24
export const SKIP = 26
export const SAID = 28
/** Where the move begins in an entry. */
export const ROW_BITS = 18

export const NOTHING = 0xffffffff
/** Captures are looked for in so many bytes of a text. */
export const CAPTURED_BYTES = 65_535
/** Bytes of the spans, and with the room behind them that notes of such a text need. */
export const SPANS_BYTES = 128
export const CAPTURE_ROOM = 128 + 4 * 65_536

/**
 * A program for a search: a table of the mode FIRST, and what to look for before it is tried.
 *
 *     0   mode      SEARCH
 *     2   width     bytes of the fingerprint that a match begins with; 0 if it is tried everywhere
 *     4   bytes     of the whole program (u32)
 *     8   offset    how far behind the beginning of a match it stands
 *     10  inner     bytes of the fingerprint that stands somewhere in each match; 0 if there is none
 *     16  six times 16 bytes: for each byte of the first a bit for its lower and one for its upper four bits
 *     112 the same of the other
 *     208 the table
 */
export const SEARCH = 4

export const WIDTH = 2
export const OFFSET = 8
export const INNER_WIDTH = 10
export const NIBBLES = 16
export const INNER = 112
export const TABLE = 208

/** In place of where a match begins: there is none, and too much was tried to say. */
export const NO_MATCH = -1
export const GAVE_UP = -2
/** Bytes that may be tried in a text: so many for each of its own, and so many more. */
export const TRIED_BYTES = 65_536
export const TRIED_TIMES = 8
