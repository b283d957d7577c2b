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
