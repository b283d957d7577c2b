/**
 * ClickHouse's exceptions: where they stand in an answer, and what each is about.
 *
 *     Code: 60. DB::Exception: Table default.logs does not exist. (UNKNOWN_TABLE) (version 24.3…)
 *     Code: 27, e.displayText() = DB::Exception: Cannot parse input: …: (while read the value of key message): (at row 2)
 *
 * Guarantees: reasons come from the table below and nowhere else. What the table does not know is about nothing that we
 * know of, so it never costs a record. Words in a body count only beside a status that ClickHouse says them with, and
 * never make a delivery of an error: that takes a header of its own.
 */
import type { Answer } from './backend.ts'

export interface Exception {
  readonly about: About
  /** The exception's name in lower case. */
  readonly reason: string
  /** The column that could not be read. */
  readonly key: string | undefined
}

/**
 * `row`: something that was to be inserted. `credentials`: who we are. `configuration`: the table, the server's or ours:
 * it must be corrected. `passing`: it passes by itself. `nothing`: it is none.
 */
type About = 'row' | 'credentials' | 'configuration' | 'passing' | 'nothing' | 'unknown'

/** ClickHouse, `src/Common/ErrorCodes.cpp`. */
const CODES: Readonly<Record<Exclude<About, 'unknown'>, Readonly<Record<number, string>>>> = {
  row: {
    6: 'CANNOT_PARSE_TEXT',
    25: 'CANNOT_PARSE_ESCAPE_SEQUENCE',
    26: 'CANNOT_PARSE_QUOTED_STRING',
    27: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
    38: 'CANNOT_PARSE_DATE',
    41: 'CANNOT_PARSE_DATETIME',
    53: 'TYPE_MISMATCH',
    69: 'ARGUMENT_OUT_OF_BOUND',
    70: 'CANNOT_CONVERT_TYPE',
    72: 'CANNOT_PARSE_NUMBER',
    117: 'INCORRECT_DATA',
    128: 'TOO_LARGE_ARRAY_SIZE',
    130: 'CANNOT_READ_ARRAY_FROM_TEXT',
    131: 'TOO_LARGE_STRING_SIZE',
    190: 'SIZES_OF_ARRAYS_DOESNT_MATCH',
    321: 'VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
    349: 'CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN',
    376: 'CANNOT_PARSE_UUID',
    395: 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO',
    407: 'DECIMAL_OVERFLOW',
    441: 'CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING',
    467: 'CANNOT_PARSE_BOOL',
    469: 'VIOLATED_CONSTRAINT',
    632: 'UNEXPECTED_DATA_AFTER_PARSED_VALUE',
    675: 'CANNOT_PARSE_IPV4',
    676: 'CANNOT_PARSE_IPV6',
    691: 'UNKNOWN_ELEMENT_OF_ENUM',
  },
  credentials: {
    192: 'UNKNOWN_USER',
    193: 'WRONG_PASSWORD',
    194: 'REQUIRED_PASSWORD',
    291: 'DATABASE_ACCESS_DENIED',
    497: 'ACCESS_DENIED',
    511: 'UNKNOWN_ROLE',
    512: 'SET_NON_GRANTED_ROLE',
    516: 'AUTHENTICATION_FAILED',
  },
  configuration: {
    8: 'THERE_IS_NO_COLUMN',
    16: 'NO_SUCH_COLUMN_IN_TABLE',
    36: 'BAD_ARGUMENTS',
    44: 'ILLEGAL_COLUMN',
    47: 'UNKNOWN_IDENTIFIER',
    48: 'NOT_IMPLEMENTED',
    60: 'UNKNOWN_TABLE',
    62: 'SYNTAX_ERROR',
    73: 'UNKNOWN_FORMAT',
    75: 'CANNOT_WRITE_TO_FILE_DESCRIPTOR',
    81: 'UNKNOWN_DATABASE',
    89: 'UNKNOWN_COMPRESSION_METHOD',
    115: 'UNKNOWN_SETTING',
    164: 'READONLY',
    195: 'IP_ADDRESS_NOT_ALLOWED',
    199: 'UNKNOWN_QUOTA',
    229: 'QUERY_IS_TOO_LARGE',
    243: 'NOT_ENOUGH_SPACE',
    344: 'SUPPORT_IS_DISABLED',
    392: 'QUERY_IS_PROHIBITED',
    452: 'SETTING_CONSTRAINT_VIOLATION',
    471: 'INVALID_SETTING_VALUE',
  },
  passing: {
    3: 'UNEXPECTED_END_OF_FILE',
    32: 'ATTEMPT_TO_READ_AFTER_EOF',
    33: 'CANNOT_READ_ALL_DATA',
    49: 'LOGICAL_ERROR',
    159: 'TIMEOUT_EXCEEDED',
    160: 'TOO_SLOW',
    173: 'CANNOT_ALLOCATE_MEMORY',
    198: 'DNS_ERROR',
    201: 'QUOTA_EXPIRED',
    202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
    203: 'NO_FREE_CONNECTION',
    209: 'SOCKET_TIMEOUT',
    210: 'NETWORK_ERROR',
    218: 'TABLE_IS_DROPPED',
    225: 'NO_ZOOKEEPER',
    236: 'ABORTED',
    241: 'MEMORY_LIMIT_EXCEEDED',
    242: 'TABLE_IS_READ_ONLY',
    252: 'TOO_MANY_PARTS',
    279: 'ALL_CONNECTION_TRIES_FAILED',
    285: 'TOO_FEW_LIVE_REPLICAS',
    286: 'UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE',
    290: 'LIMIT_EXCEEDED',
    319: 'UNKNOWN_STATUS_OF_INSERT',
    354: 'ZLIB_INFLATE_FAILED',
    394: 'QUERY_WAS_CANCELLED',
    439: 'CANNOT_SCHEDULE_TASK',
    473: 'DEADLOCK_AVOIDED',
    499: 'S3_ERROR',
    999: 'KEEPER_EXCEPTION',
    1000: 'POCO_EXCEPTION',
    1001: 'STD_EXCEPTION',
  },
  // The rows were there already.
  nothing: { 389: 'INSERT_WAS_DEDUPLICATED' },
}

const KNOWN = new Map(
  Object.entries(CODES).flatMap(([about, names]) =>
    Object.entries(names).map(([code, name]) => [Number(code), { about: about as About, reason: name.toLowerCase() }]),
  ),
)

/**
 * Statuses of ClickHouse (`src/Server/HTTP/exceptionCodeToHTTPStatus.cpp`; every error was a 500 before 19). Whatever else
 * says something of an exception is a proxy, which may repeat a line of ours.
 */
const STATUSES = new Set([400, 401, 403, 404, 406, 408, 411, 413, 500, 501, 503])

/** What a row could not be inserted for comes with one of these, or behind a success that had been begun. */
const ROW_STATUSES = new Set([200, 400, 500])

/** Where an error begins; behind a success that had been begun it may stand anywhere. */
const SAID = /^\s*Code: (\d{1,5})[.,] .*?(?:DB::|Poco::|std::)/s
const SAID_LATE = /\bCode: (\d{1,5})[.,] .*?(?:DB::|Poco::|std::)/s

/** The exception in an answer, or nothing: in a header, and in the body, also behind a 200. */
export function exceptionOf({ status, headers, body }: Answer): Exception | undefined {
  const success = status >= 200 && status < 300
  const header = headers['x-clickhouse-exception-code']
  const own = header !== undefined && /^\d{1,5}$/.test(header)
  if (!own && !success && !STATUSES.has(status)) return undefined
  const said = own ? header : (success ? SAID_LATE : SAID).exec(body)?.[1]
  if (said === undefined) return undefined
  const { about, reason } = KNOWN.get(Number(said)) ?? { about: 'unknown', reason: 'exception' }
  // Words alone make no delivery of an error.
  if (about === 'nothing' && !own && !success) return { about: 'unknown', reason, key: undefined }
  // The last one: what stands before it may be the row itself.
  const key = [...body.matchAll(/\(while read(?:ing)? the value of key ([^)]*)\)/g)].at(-1)?.[1]
  const ofRow = ROW_STATUSES.has(status)
  // Whatever its code, the value of a column was what could not be read; and a column that is missing is no value.
  if (key !== undefined && ofRow) return { about: 'row', reason, key }
  if (about !== 'row') return { about, reason, key }
  if (/Unknown field found/i.test(body)) return { about: 'configuration', reason: 'unknown_field', key }
  return { about: ofRow ? 'row' : 'unknown', reason, key }
}
