/**
 * What the module exports: its loops, the parameters that `render` takes, results, and the constants of its layout.
 *
 * This directory is AssemblyScript: it looks like TypeScript and compiles to WebAssembly (src/kernel/build.ts). There are
 * no objects and no garbage here, only numbers and one linear memory, whose first page is ours (see layout.ts) and whose
 * rest belongs to the caller.
 *
 * Two rules hold for every loop. Reading may run up to 15 bytes past the last byte asked for, since it goes in steps
 * of 16: the memory ends in a page of slack. Writing never touches the byte at `limit` or any behind it: something else
 * may lie there.
 */
import { prepare } from './escape'

export { consumed, decode, lineEnds, replaced } from './decode'
export { frames, padded } from './frames'
export {
  PARSER,
  PARSERS,
  PARSE_ACCESS,
  PARSE_CRI,
  PARSE_DOCKER,
  PARSE_EXPRESSION,
  PARSE_JSON,
  PARSE_PAIRS,
  extract,
} from './process/extract'
export {
  ENTRY,
  KIND_ARRAY,
  KIND_BOOLEAN,
  KIND_NULL,
  KIND_NUMBER,
  KIND_OBJECT,
  KIND_TEXT,
  NODE_PLACES,
  TARGET,
} from './process/names'
export { MOST_SLOTS, SCRATCH_BYTES } from './process/scratch'
export {
  CAPTURED_BYTES as TABLE_CAPTURED_BYTES,
  CAPTURE_ROOM as TABLE_CAPTURE_ROOM,
  COLUMNS as TABLE_COLUMNS,
  DEAD as TABLE_DEAD,
  DECIDED as TABLE_DECIDED,
  EDGE_COLUMN as TABLE_EDGE_COLUMN,
  GAVE_UP as TABLE_GAVE_UP,
  GROUPS as TABLE_GROUPS,
  INNER as TABLE_INNER,
  INNER_WIDTH as TABLE_INNER_WIDTH,
  LAST as TABLE_LAST,
  LOOPS as TABLE_LOOPS,
  MASKS as TABLE_MASKS,
  MOVES as TABLE_MOVES,
  NIBBLES as TABLE_NIBBLES,
  NO_MATCH as TABLE_NO_MATCH,
  OFFSET as TABLE_OFFSET,
  ROWS as TABLE_ROWS,
  ROW_BITS as TABLE_ROW_BITS,
  SAID as TABLE_SAID,
  SAYS_COLUMN as TABLE_SAYS_COLUMN,
  SKIP as TABLE_SKIP,
  SPANS_BYTES as TABLE_SPANS_BYTES,
  SPECIAL as TABLE_SPECIAL,
  START as TABLE_START,
  STARTS as TABLE_STARTS,
  TABLE as TABLE_TABLE,
  TRIED_BYTES as TABLE_TRIED_BYTES,
  TRIED_TIMES as TABLE_TRIED_TIMES,
  WIDTH as TABLE_WIDTH,
} from './process/layout'
export { accepts, longest, rule } from './process/match'
export {
  FOLDED as REDACT_FOLDED,
  KEY as REDACT_KEY,
  MAIL_SIGN as REDACT_MAIL_SIGN,
  PAIR as REDACT_PAIR,
  SCHEME as REDACT_SCHEME,
  TOKEN as REDACT_TOKEN,
  URL as REDACT_URL,
  WEB_TOKEN as REDACT_WEB_TOKEN,
  redact,
} from './process/redact'
export { EXACT as REDACT_EXACT, SCHEMED as REDACT_SCHEMED, WORD as REDACT_WORD } from './process/pairs'
export { BASIC as REDACT_BASIC } from './process/tokens'
export {
  ALNUM as REDACT_ALNUM,
  BASE64 as REDACT_BASE64,
  CAPITAL as REDACT_CAPITAL,
  CLASSES as REDACT_CLASSES,
  COUNT as REDACT_COUNT,
  COUNTS as REDACT_COUNTS,
  CUT as REDACT_CUT,
  DOMAIN as REDACT_DOMAIN,
  EMAIL as REDACT_EMAIL,
  END as REDACT_END,
  HASH as REDACT_HASH,
  HASH_KEY as REDACT_HASH_KEY,
  HOW as REDACT_HOW,
  IBAN as REDACT_IBAN,
  IPV4 as REDACT_IPV4,
  IPV6 as REDACT_IPV6,
  KEEP as REDACT_KEEP,
  KEEP_BYTES as REDACT_KEEP_BYTES,
  LABEL as REDACT_LABEL,
  LABELS as REDACT_LABELS,
  LENGTHS as REDACT_LENGTHS,
  LISTS as REDACT_LISTS,
  LITERALS as REDACT_LITERALS,
  LOCAL as REDACT_LOCAL,
  PAN as REDACT_PAN,
  PARTIAL as REDACT_PARTIAL,
  PREFILTER as REDACT_PREFILTER,
  REPLACE as REDACT_REPLACE,
  RULES as REDACT_RULES,
  SCANS as REDACT_SCANS,
  SCAN_RULES as REDACT_SCAN_RULES,
  SCHEMES as REDACT_SCHEMES,
  SSN as REDACT_SSN,
  STOP as REDACT_STOP,
  TOKEN68 as REDACT_TOKEN68,
  URL_SAFE as REDACT_URL_SAFE,
  WHOLE as REDACT_WHOLE,
  WORDS as REDACT_WORDS,
} from './process/redaction'
export { CONTINUES, continued, ENDS, JOINS, openAt, records } from './process/records'
export { levels, levelsMissing, levelsUnknown } from './process/level'
export { times, timesAhead, timesMissing, timesOld, timesUnreadable } from './process/time'
export { cutAt, end, render, repaired } from './render'
export {
  atFileStart,
  column,
  count,
  counts,
  cut,
  ends,
  first,
  limit,
  measures,
  messageBytes,
  messageSlot,
  out,
  recordBytes,
  repair,
  rowBytes,
  rows,
  start,
  steps,
  trim,
} from './parameters'
export {
  ABSENT,
  AS_ATTRIBUTE,
  AS_BYTES,
  AS_ID,
  AS_JSON,
  AS_KEY_VALUE,
  AS_QUOTED,
  AS_STRING,
  COUNTER,
  COUNTER_BYTES,
  COUNTER_DIGITS,
  FIELDS,
  FIXED64,
  HAS_ID_16,
  HAS_ID_8,
  HAS_LEVEL,
  HAS_REPEATED,
  HAS_TIME,
  HAS_VALUE,
  JSON,
  LATIN_1,
  LENGTH,
  LEVEL,
  LEVEL_BYTE,
  LEVEL_NUMBER,
  LEVEL_SYSLOG,
  LEVEL_UNREAD,
  LEVEL_WORD,
  LEVEL_WRITTEN,
  LITERAL,
  MEMBERS,
  MESSAGE,
  MOST_MACHINES,
  NAMES_CLASH,
  NO_SLOT,
  OFFSET,
  PAIRS,
  PROGRAM,
  RANGE,
  RANGE_IN,
  RAW,
  REPEATED,
  RESAMPLED,
  ROOM_END,
  ROW_FLAGS,
  ROW_FORM,
  ROW_LEVEL,
  ROW_REPEATED,
  ROW_SLOTS,
  ROW_TIME,
  SAMPLED,
  SHOWN_ALWAYS,
  SHOWN_LEVELLED,
  SHOWN_SAME_LEVEL,
  SHOWN_TIMED,
  SLOT,
  STATES,
  STEP,
  TEXT,
  TEXT_VALUE,
  TIME,
  TIME_FIXED64,
  TIME_MILLISECONDS,
  TIME_NANOSECONDS,
  TIME_RFC3339,
  TIME_SECONDS,
  TIME_UNREAD,
  UNPARSED,
  UTF_16BE,
  UTF_16LE,
  VALUE,
  VALUES,
  WHEN,
  WINDOWS_1252,
} from './layout'
export { capture } from './process/capture'
export { allow, matchEnd, search } from './process/search'
export { base, chosen, keepLevel, key, offsets, salt, sample, seed, threshold } from './process/hash'
export { bytesLeft, bytesPerMs, filledAt, limit as curb, recordsLeft, recordsPerMs } from './process/limit'
export { acquit, BELOW, EQUALS, filter, FLAGS, MATCHES, NOT, SEARCHES, TEXTS } from './process/select'
export { gaps, head, origin, source, stop, tail, thin, written } from './process/thin'
export { repeats } from './process/repeats'
export * from './process/level-layout'
export * from './process/time-layout'

prepare()
