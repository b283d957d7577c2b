/**
 * Names under which logging libraries write what each record has: the first of a list that a record has is taken. A dot
 * stands for a member of a member, or for itself.
 */

/** What it says: texts only. pino and zap say `msg`, structlog `event`, docker `log`, GELF and Serilog the others. */
export const MESSAGE_NAMES = ['message', 'msg', 'event', 'log', 'short_message', '@message', '@m'] as const

export const LEVEL_NAMES = [
  'level',
  'severity',
  'lvl',
  'loglevel',
  'log.level',
  'log_level',
  'logLevel',
  'severityText',
  'severity_text',
  'levelname',
  '@l',
] as const

export const TIME_NAMES = ['time', 'timestamp', '@timestamp', 'ts', 't', 'date', 'datetime', 'asctime', '@t'] as const

/** Google's special field holds the path of a trace; the others are ids. */
export const TRACE_ID_NAMES = [
  ...['trace_id', 'traceId', 'trace.id', 'traceid', 'traceID', 'otelTraceID', '@tr'],
  'logging.googleapis.com/trace',
] as const
export const SPAN_ID_NAMES = [
  ...['span_id', 'spanId', 'span.id', 'spanid', 'spanID', 'otelSpanID', '@sp'],
  'logging.googleapis.com/spanId',
] as const
