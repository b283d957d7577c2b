/**
 * The first two pages of the memory, which the kernel keeps for itself, and all numbers that both sides must know: build.ts
 * writes those that index.ts exports beside the module, and the host reads them there.
 *
 *     0      64        128            4224       4272     4464                   113600   129984   130048  131072
 *     │ none │ scratch │ 256 shuffles │ patterns │ hidden │ program: steps, then │ names  │ states │ lines │ tables
 *     │      │         │              │          │        │ what they name       │        │        │       │ arena …
 *
 * A step is 16 bytes. The host writes them (`Kernel.template`); render.ts follows them.
 *
 *     0     4       8            16
 *     │ kind │ bytes │ address    │    literal   `bytes` bytes at `address`
 *     │ kind │ -     │ -          │    message, raw
 *     │ kind │ bytes │ address    │    members   as a literal: what stands before a frame that is no object
 *     │ kind │ table │ base (i64) │    offset    base + the frame's address, or its row in the table, unless that is 0
 *     │ kind │ cut   │ base (i64) │    range     as offset without a table, and the frame's length: `cut`, unless that is 0
 *     │ kind │ table │ base (i64) │    range in  as offset with a table, and the frame's length
 *     │ kind │ bytes │ address    │    counter   `bytes` ASCII digits that end at `address`
 *     │ kind │ what  │ slot │ skip │   when      follows the steps up to `skip` bytes behind it only if the row has `what`
 *     │ kind │ how   │ slot │ -    │   text      the message: the value in a slot, else the frame
 *     │ kind │ how   │ slot │ more │   value     the value in a slot: bit 0 of more, it may be a number; bits 8 to 15, a tag
 *     │ kind │ how   │ time (i64)  │   time      of the row, else this one, which goes up by one
 *     │ kind │ how   │ slot │ -    │   level     of the row; as it was written, in the slot
 *     │ kind │ how   │ address │ - │   fields    all that remains, by the names at `address` (see process/fields.ts)
 *     │ kind │ how   │ -          │   repeated  how many records it stands for
 *     │ kind │ -     │ -          │   comma     unless an object begins before it
 *     │ kind │ piece │ -          │    partition  a piece of the text of its partition (see process/partition.ts)
 *     │ kind │ edge  │ -          │    base64    what stands between its two edges is encoded, in place (see base64.ts)
 *     │ kind │ -     │ value      │    fixed64   the number itself (u64)
 *     │ kind │ where │ -          │    length    where the record at hand has it: render.ts's own note
 *
 * A row says what was found in a record (see process/). Rows stand in a table of the slab, one for each frame.
 *
 *     0          8       9      10      12         16
 *     │ time i64 │ level │ form │ flags │ repeated │ slot 0 │ slot 1 │ …        up to a multiple of 8 bytes
 *
 *     time       nanoseconds since the epoch, or NO_TIME
 *     level      a severity of OpenTelemetry, 1 to 24; 0: not known
 *     form       what the record is: TEXT, or which parser took it
 *     flags      bits, below
 *     repeated   for how many records this one stands; 0 as 1
 *     slot       where a named value stands: u16 from the frame's first byte, u16 bytes; ABSENT in both: nowhere. A value of
 *                a JSON object stands as it was written, a text with its quotes.
 */
export const ROW_TIME: usize = 0
export const ROW_LEVEL: usize = 8
export const ROW_FORM: usize = 9
export const ROW_FLAGS: usize = 10
export const ROW_REPEATED: usize = 12
export const ROW_SLOTS: usize = 16
export const SLOT: usize = 4
export const ABSENT: u32 = 0xffff
export const NO_TIME: i64 = i64.MIN_VALUE

/** Forms of a record. */
export const TEXT: u32 = 0
/** An object, of which all members are known to be well-formed. */
export const JSON: u32 = 1
/** `name=value` pairs. */
export const PAIRS: u32 = 2
/** Values that an expression found; only those that have a slot. */
export const VALUES: u32 = 3

/** Flags: some names stand twice, or are ours; there was a time or a level and it could not be read; a parser was asked and none took it. */
export const NAMES_CLASH: u32 = 1
export const TIME_UNREAD: u32 = 2
export const LEVEL_UNREAD: u32 = 4
export const UNPARSED: u32 = 8
/** What it says was chosen by others: a word in it is no level. */
export const ASKED_FOR: u32 = 16
/** Sampling chose the record: that of its source, that of its backend. */
export const SAMPLED: u32 = 256
export const RESAMPLED: u32 = 512

export const SCRATCH: usize = 64
/** What escape.ts looks up: 16 lanes for each mask of eight bits. */
export const SPREAD: usize = 128
/** And 16 quotes, 16 backslashes, 16 of the highest control character. */
export const PATTERNS: usize = 4224
/** Values of the record at hand that have a place of their own: where each begins and ends (u32). */
export const HIDDEN: usize = 4272
export const MOST_HIDDEN: u32 = 24
export const PROGRAM: usize = 4464
/**
 * Behind what a program may take. Names in a record, by their hash: the u32 hash of each, and where it stands last. Or, where
 * names need not be read, where each member stands (process/members.ts).
 */
export const NAMES: usize = 113600
export const NAME_PLACES: usize = 2048
/** Of the machines that say which lines make one record: their states, what has matched. */
export const STATES: usize = 129984
/** Where the next lines end, before it is known which records they are: a table of u32. */
export const LINES: usize = 130048
export const MOST_LINES: u32 = 256
/** Machines that there may be at the most. */
export const MOST_MACHINES: u32 = 12
export const ROOM_END: usize = 131072

/** Bytes of a step, and the kinds of steps: a segment's kind in capitals (`Segment`). */
export const STEP: usize = 16
export const LITERAL: u32 = 0
export const MESSAGE: u32 = 1
export const RAW: u32 = 2
export const OFFSET: u32 = 3
export const COUNTER: u32 = 4
export const FIXED64: u32 = 5
export const LENGTH: u32 = 6
export const MEMBERS: u32 = 7
export const RANGE: u32 = 8
export const WHEN: u32 = 9
export const TEXT_VALUE: u32 = 10
export const VALUE: u32 = 11
export const TIME: u32 = 12
export const LEVEL: u32 = 13
export const FIELDS: u32 = 14
export const REPEATED: u32 = 15
export const COMMA: u32 = 16
export const PARTITION: u32 = 17
export const BASE64: u32 = 18

/** What `when` asks for: a time, a level, more records than one, a value, one that is `more` bytes in hexadecimal digits. */
export const HAS_TIME: u32 = 0
export const HAS_LEVEL: u32 = 1
export const HAS_REPEATED: u32 = 2
export const HAS_VALUE: u32 = 3
export const HAS_ID_16: u32 = 4
export const HAS_ID_8: u32 = 5
/** Whether the row has exactly these flags of sampling. */
export const HAS_SAMPLED: u32 = 6
/** Its partition is number 0. */
export const HAS_NO_PARTITION: u32 = 7
/** Nothing stands in this piece of its partition's text. */
export const HAS_NO_PIECE: u32 = 8
/** A value that is none of 16 bytes in hexadecimal digits. */
export const HAS_OTHER_16: u32 = 9
/** How a value is written: as JSON, inside of a JSON string, its bytes, the bytes that its hexadecimal digits stand for. */
export const AS_JSON: u32 = 0
export const AS_STRING: u32 = 1
export const AS_BYTES: u32 = 2
export const AS_ID: u32 = 3
/** As a JSON string with its quotes; as a key and value of OTLP. */
export const AS_QUOTED: u32 = 4
export const AS_ATTRIBUTE: u32 = 5
/** As the same in JSON. */
export const AS_KEY_VALUE: u32 = 6
/** How a time is written. RFC 3339 in UTC; decimal digits; `fixed64`. */
export const TIME_RFC3339: u32 = 0
export const TIME_SECONDS: u32 = 1
export const TIME_MILLISECONDS: u32 = 2
export const TIME_NANOSECONDS: u32 = 3
export const TIME_FIXED64: u32 = 4
/** Parts of it, in UTC. */
export const TIME_YEAR: u32 = 5
export const TIME_MONTH: u32 = 6
export const TIME_DAY: u32 = 7
export const TIME_HOUR: u32 = 8
/** How a level is written: a word, its number, as it was written or else the word, the number of syslog, Google's word. */
export const LEVEL_WORD: u32 = 0
export const LEVEL_NUMBER: u32 = 1
export const LEVEL_WRITTEN: u32 = 2
export const LEVEL_SYSLOG: u32 = 3
export const LEVEL_BYTE: u32 = 4
export const LEVEL_SEVERITY: u32 = 5
/** How a number of records is written: in digits, as a varint of five bytes. */
export const REPEATED_DIGITS: u32 = 0
export const REPEATED_VARINT: u32 = 1
/**
 * When a value is shown in its own place: always, with a time, with a level, if it says the word of the level, as a part of
 * what tells the record apart, if it is an id of 16 or of 8 bytes.
 */
export const SHOWN_ALWAYS: u32 = 0
export const SHOWN_TIMED: u32 = 1
export const SHOWN_LEVELLED: u32 = 2
export const SHOWN_SAME_LEVEL: u32 = 3
export const SHOWN_PARTITIONED: u32 = 4
export const SHOWN_ID_16: u32 = 5
export const SHOWN_ID_8: u32 = 6
/** What becomes of a value of this name: left out, called otherwise, sent as it is, called `line_` and its name. */
export const NAME_OUT: u32 = 0
export const NAME_OTHER: u32 = 1
export const NAME_KEPT: u32 = 2
export const NAME_LINE: u32 = 3
/** As the last, of all names that begin so. */
export const NAMES_LINE: u32 = 4
/** Where what is encoded begins, and where it ends. */
export const BASE64_BEGIN: u32 = 0
export const BASE64_END: u32 = 1
/** No slot. */
export const NO_SLOT: u32 = 0xff
export const RANGE_IN: u32 = 20

/** Bytes of a length, whatever its value: 2^32 needs five groups of seven bits. */
export const LENGTH_BYTES: usize = 5
/** Digits of an offset. */
export const OFFSET_DIGITS: usize = 12
/** And of a range: the offset, a hyphen, and eight for the length. */
export const RANGE_DIGITS: usize = 21
/** Digits that a counter may begin with, and the bytes it gets: one of all nines may still go up. */
export const COUNTER_DIGITS: usize = 20
export const COUNTER_BYTES: usize = 21

/** What `decode` can read. */
export const UTF_16LE: u32 = 0
export const UTF_16BE: u32 = 1
export const LATIN_1: u32 = 2
export const WINDOWS_1252: u32 = 3
