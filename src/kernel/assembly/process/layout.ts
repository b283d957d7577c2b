/**
 * Where things are in the tables of expressions. src/process/expression/layout.ts draws them and has the same numbers;
 * test/process/expression/match.test.ts fails if they are not.
 */
export const SPECIAL: usize = 2
export const DECIDED: usize = 4
export const DEAD: usize = 6
export const EDGE_COLUMN: usize = 8
export const SAYS_COLUMN: usize = 10
export const STARTS: usize = 12
export const COLUMNS: usize = 32
export const ROWS: usize = 288

export const GROUPS: usize = 2
export const PROGRAM_BYTES: usize = 4
export const MOVES: usize = 8
export const MASKS: usize = 12
export const START: usize = 16
export const LOOPS: usize = 20
export const LAST: usize = 24
export const SKIP: usize = 26
export const SAID: usize = 28
export const ROW_BITS: u32 = 18
export const BEGINS_BYTES: usize = 16
export const CAPTURED_BYTES: usize = 65535
export const SPANS_BYTES: usize = 128
export const CAPTURE_ROOM: usize = 128 + 4 * 65536

export const WIDTH: usize = 2
export const OFFSET: usize = 8
export const INNER_WIDTH: usize = 10
export const NIBBLES: usize = 16
export const INNER: usize = 112
export const TABLE: usize = 208
export const NO_MATCH: i32 = -1
export const GAVE_UP: i32 = -2
export const TRIED_BYTES: usize = 65536
export const TRIED_TIMES: usize = 8
