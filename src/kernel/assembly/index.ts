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
  CHOICES as TABLE_CHOICES,
  COLUMNS as TABLE_COLUMNS,
  DEAD as TABLE_DEAD,
  DECIDED as TABLE_DECIDED,
  DONE as TABLE_DONE,
  EDGE_COLUMN as TABLE_EDGE_COLUMN,
  FAILED as TABLE_FAILED,
  FINISHED as TABLE_FINISHED,
  GROUPS as TABLE_GROUPS,
  HEAD as TABLE_HEAD,
  LAST as TABLE_LAST,
  LOOPS as TABLE_LOOPS,
  MASKS as TABLE_MASKS,
  MODE as TABLE_MODE,
  NO_WAY as TABLE_NO_WAY,
  ONE_PASS as TABLE_ONE_PASS,
  PROGRAM_ROWS as TABLE_PROGRAM_ROWS,
  ROWS as TABLE_ROWS,
  SAYS_COLUMN as TABLE_SAYS_COLUMN,
  SETS as TABLE_SETS,
  SET_BYTES as TABLE_SET_BYTES,
  SKIP as TABLE_SKIP,
  SPANS_BYTES as TABLE_SPANS_BYTES,
  SPECIAL as TABLE_SPECIAL,
  START as TABLE_START,
  STARTS as TABLE_STARTS,
  TWO_PASS as TABLE_TWO_PASS,
} from './process/layout'
export { accepts, longest, rule } from './process/match'
export { CONTINUES, continued, ENDS, JOINS, openAt, records } from './process/records'
export { cutAt, end, render, repaired } from './render'
export {
  atFileStart,
  count,
  counts,
  cut,
  ends,
  first,
  limit,
  measures,
  messageBytes,
  out,
  recordBytes,
  repair,
  start,
  steps,
  trim,
} from './parameters'
export {
  ABSENT,
  COUNTER,
  COUNTER_BYTES,
  COUNTER_DIGITS,
  FIXED64,
  JSON,
  LATIN_1,
  LENGTH,
  LEVEL_UNREAD,
  LITERAL,
  MEMBERS,
  MESSAGE,
  MOST_MACHINES,
  NAMES_CLASH,
  OFFSET,
  PAIRS,
  PROGRAM,
  RANGE,
  RAW,
  ROOM_END,
  ROW_FLAGS,
  ROW_FORM,
  ROW_LEVEL,
  ROW_REPEATED,
  ROW_SLOTS,
  ROW_TIME,
  SLOT,
  STATES,
  STEP,
  TEXT,
  TIME_UNREAD,
  UNPARSED,
  UTF_16BE,
  UTF_16LE,
  VALUES,
  WINDOWS_1252,
} from './layout'
export { capture } from './process/capture'

prepare()
