/**
 * Words that are levels, as severities of OpenTelemetry. Its log data model says which level of syslog, log4j, zap and the
 * others has which number.
 */

/** Short names of OpenTelemetry: what a level can be mapped to. */
export const LEVELS = {
  trace: 1,
  trace2: 2,
  trace3: 3,
  trace4: 4,
  debug: 5,
  debug2: 6,
  debug3: 7,
  debug4: 8,
  info: 9,
  info2: 10,
  info3: 11,
  info4: 12,
  warn: 13,
  warn2: 14,
  warn3: 15,
  warn4: 16,
  error: 17,
  error2: 18,
  error3: 19,
  error4: 20,
  fatal: 21,
  fatal2: 22,
  fatal3: 23,
  fatal4: 24,
} as const

export type LevelName = keyof typeof LEVELS

const { trace, debug, info, warn, error, fatal } = LEVELS
const notice = LEVELS.info2
const critical = LEVELS.error2
const alert = LEVELS.error3

/** Of every library that is known, in small letters. */
export const WORDS: Readonly<Record<string, number>> = {
  ...LEVELS,
  trc: trace,
  vrb: trace,
  verbose: trace,
  finest: trace,
  finer: trace,
  t: trace,
  v: trace,
  dbg: debug,
  fine: debug,
  config: debug,
  d: debug,
  inf: info,
  information: info,
  informational: info,
  success: info,
  i: info,
  notice,
  n: notice,
  warning: warn,
  wrn: warn,
  w: warn,
  err: error,
  severe: error,
  e: error,
  crit: critical,
  critical,
  c: critical,
  dpanic: critical,
  alert,
  a: alert,
  ftl: fatal,
  pnc: fatal,
  panic: fatal,
  emerg: fatal,
  emergency: fatal,
  f: fatal,
}

/** Words that are a level at the head of a text in small letters too. Others may be how a sentence begins. */
export const PLAIN: readonly string[] = ['info', 'warn', 'warning', 'error', 'err', 'fatal', 'crit', 'critical']
