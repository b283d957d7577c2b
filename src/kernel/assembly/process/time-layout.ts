/**
 * What a table of times holds: src/process/time/compile.ts writes it, time.ts follows it.
 *
 *     0     2       4      5      6   8      12        16       20          24
 *     │ how │ count │ flags │ unit │ - │ zone │ program │ written │ programs… │ slots: u16 each, in the order of trial │
 *
 *     how        AUTO: whatever is known; EPOCH: a number of `unit`; PROGRAM: by the steps at `program`
 *     flags      HEAD: if no slot has a value, the head of the text; BRACKET: there behind the first [; NEAR: there behind
 *                opening brackets, a priority and a level
 *     unit       decimal digits below a number's unit (0 nanoseconds … 9 seconds), or ANY_UNIT: by its size
 *     zone       offset in the table of the zone: u32 rows, then that many of │ local time: u32 │ offset: i32 │ in seconds;
 *                from that local time on the offset holds
 *     programs   of AUTO: u32 offsets in the table, in the order of the constants below
 *
 * A program is │ steps: u8 │ kept: u8 │ dated: u8 │ - │ and then two bytes for each step: what, and an argument. So many
 * steps as `kept` says are not followed again where the next text begins with the same bytes; `dated`: no other step says
 * anything of the date.
 */
export const TIMES_HOW: usize = 0
export const TIMES_COUNT: usize = 2
export const TIMES_FLAGS: usize = 4
export const TIMES_UNIT: usize = 5
export const TIMES_ZONE: usize = 8
export const TIMES_PROGRAM: usize = 12
export const TIMES_PROGRAMS: usize = 16
export const TIMES_SLOTS: usize = 48

export const TIMES_AUTO: u32 = 0
export const TIMES_EPOCH: u32 = 1
export const TIMES_BY_PROGRAM: u32 = 2

export const TIMES_HEAD: u32 = 1
export const TIMES_BRACKET: u32 = 2
export const TIMES_NEAR: u32 = 4
/** A klog head: the letter of the level stands before the time. */
export const TIMES_LETTER: u32 = 8

export const TIMES_ANY_UNIT: u32 = 255

/** Which program of AUTO is which. */
export const AUTO_ISO: u32 = 0
export const AUTO_BASIC: u32 = 1
export const AUTO_DAY_FIRST: u32 = 2
export const AUTO_KLOG: u32 = 3
export const AUTO_SYSLOG: u32 = 4
export const AUTO_MONTH_FIRST: u32 = 5
export const AUTO_CTIME: u32 = 6
export const AUTO_PROGRAMS: u32 = 7

/** Steps. The argument of LITERAL is the byte. */
export const STEP_LITERAL: u32 = 0
/** One blank or more. */
export const STEP_BLANK: u32 = 1
export const STEP_YEAR: u32 = 2
/** Two digits: 69 to 99 are 1969 to 1999. */
export const STEP_SHORT_YEAR: u32 = 3
export const STEP_MONTH: u32 = 4
export const STEP_DAY: u32 = 5
export const STEP_HOUR: u32 = 6
export const STEP_HALF_HOUR: u32 = 7
export const STEP_MINUTE: u32 = 8
export const STEP_SECOND: u32 = 9
export const STEP_FRACTION: u32 = 10
export const STEP_MONTH_NAME: u32 = 11
export const STEP_DAY_NAME: u32 = 12
export const STEP_NOON: u32 = 13
export const STEP_ZONE: u32 = 14
export const STEP_ZONE_NAME: u32 = 15
export const STEP_YEAR_DAY: u32 = 16
export const STEP_EPOCH: u32 = 17
/** If they are there: a point or comma with digits behind it; a zone; a colon and seconds. */
export const STEP_MAYBE_FRACTION: u32 = 18
export const STEP_MAYBE_ZONE: u32 = 19
export const STEP_MAYBE_SECOND: u32 = 20
/** One of several bytes. */
export const STEP_DATE_SIGN: u32 = 21
export const STEP_TIME_SIGN: u32 = 22
