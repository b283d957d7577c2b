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

export const MODE: usize = 0
export const ONE_PASS: u32 = 3
export const TWO_PASS: u32 = 4
export const GROUPS: usize = 2
export const PROGRAM_ROWS: usize = 8
export const MASKS: usize = 12
export const SETS: usize = 12
export const START: usize = 16
export const LAST: usize = 18
export const SKIP: usize = 20
export const LOOPS: usize = 22
export const CHOICES: usize = 24
export const HEAD: usize = 28
export const SET_BYTES: usize = 30
export const FAILED: u32 = 0
export const DONE: u32 = 1
export const NO_WAY: u32 = 0xffff
export const FINISHED: u32 = 0xfffe
export const CAPTURED_BYTES: usize = 65535
export const SPANS_BYTES: usize = 128
export const CAPTURE_ROOM: usize = 128 + 4 * 65536
