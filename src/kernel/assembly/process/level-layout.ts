/**
 * What a table of levels holds: src/process/level/compile.ts writes it, level.ts follows it.
 *
 *     0       1       2      4         6      8           10 …    16       20      32                 96
 *     │ flags │ count │ text │ message │ mask │ numbers … │ words │ slots… │ marks: four times 16 bytes │ words …
 *
 *     flags     LEVELS_IN_TEXT: where no slot has a value, a word in the text; LEVELS_PRIORITY: there too, a number in <>;
 *               LEVELS_ASKED_FOR: in a text that others chose, too
 *     count     of slots that may hold the level, at `slots`: u16 each, with what its numbers mean at `numbers`: u8 each
 *     text      the slot that gets the level as it was written; ABSENT: none
 *     message   the slot of a message, in which a word is looked for if the record is no text; ABSENT: none
 *     marks     for the first and the second letter of the words: bits by low and by high half of the byte
 *     words     offset in the table: a power of two of places, `mask` and one, each of │ word: 16 bytes │ level: u8 │ plain: u8 │ to 24
 *
 * A word is in small letters, up to 16 bytes, with zeros behind it. It stands in the place that its hash names or in one
 * of the next; a place without a word has no level. A plain one is a
 * level where a text begins with it, in small letters too.
 */
export const LEVELS_FLAGS: usize = 0
export const LEVELS_COUNT: usize = 1
export const LEVELS_TEXT: usize = 2
export const LEVELS_MESSAGE: usize = 4
export const LEVELS_MASK: usize = 6
export const LEVELS_NUMBERS: usize = 8
export const LEVELS_WORDS: usize = 16
export const LEVELS_SLOTS: usize = 20
export const LEVELS_MARKS: usize = 32
export const LEVELS_TABLE: usize = 96
export const LEVELS_PLACE: usize = 24
/** Bytes that a word may have: its level stands behind them. */
export const LEVELS_WORD: usize = 16
export const LEVELS_PLAIN: usize = 17
export const LEVELS_MOST_SLOTS: u32 = 6

export const LEVELS_IN_TEXT: u32 = 1
export const LEVELS_PRIORITY: u32 = 2
export const LEVELS_ASKED_FOR: u32 = 4

/** What a number means: of pino and bunyan 10 to 60, of OpenTelemetry 1 to 24, of syslog 0 to 7; nothing. */
export const NUMBERS_PINO: u32 = 0
export const NUMBERS_OTEL: u32 = 1
export const NUMBERS_SYSLOG: u32 = 2
export const NUMBERS_NONE: u32 = 3

/** Bytes of a text in which a word is looked for. */
export const LEVELS_WITHIN: usize = 128
