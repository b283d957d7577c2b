/**
 * The names of grok that people paste (`%{IP:client}`), as expressions of ours.
 *
 * These are definitions of our own: Logstash's rely on look-around and atomic groups. They are made to take what is
 * there from a line, and do not count what a standard counts, such as the 63 letters of a label: that would be a
 * thousand states. They capture nothing by themselves; a name behind the colon makes a group of the whole.
 */

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`
const HEX = '[0-9A-Fa-f]{1,4}'
const IPV6 = `(?:(?:${HEX}:){7}${HEX}|(?:${HEX}(?::${HEX})*)?::(?:(?:${HEX}:)*(?:${IPV4}|${HEX}))?)`
const LABEL = '[0-9A-Za-z][0-9A-Za-z_-]*'
const HOST = `${LABEL}(?:\\.${LABEL})*\\.?`
const NUMBER = '[+-]?(?:\\d+(?:\\.\\d+)?|\\.\\d+)'
const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|' +
  'Nov(?:ember)?|Dec(?:ember)?)'
const TIME = '(?:2[0-3]|[01]?\\d):[0-5]\\d(?::(?:[0-5]?\\d|60)(?:[:.,]\\d+)?)?'
const LEVEL =
  '(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|' +
  'fatal|severe|alert|emerg(?:ency)?|panic)'

export const GROK: Readonly<Record<string, string>> = {
  BASE16NUM: '[+-]?(?:0x)?[0-9A-Fa-f]+',
  DATA: '.*?',
  GREEDYDATA: '.*',
  HOSTNAME: HOST,
  HTTPDATE: `\\d{1,2}/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}`,
  INT: '[+-]?\\d+',
  IP: `(?:${IPV4}|${IPV6})`,
  IPORHOST: `(?:${IPV4}|${IPV6}|${HOST})`,
  IPV4,
  IPV6,
  LOGLEVEL: LEVEL,
  MONTH,
  MONTHDAY: '(?:0[1-9]|[12]\\d|3[01]|[1-9])',
  NONNEGINT: '\\d+',
  NOTSPACE: '\\S+',
  NUMBER,
  PATH: '(?:/[^\\s"\']*|[A-Za-z]:\\\\[^\\s"\']*)',
  POSINT: '[1-9]\\d*',
  QS: '(?:"(?:\\\\.|[^\\\\"])*"|\'(?:\\\\.|[^\\\\\'])*\')',
  QUOTEDSTRING: '(?:"(?:\\\\.|[^\\\\"])*"|\'(?:\\\\.|[^\\\\\'])*\')',
  SPACE: '\\s*',
  SYSLOGTIMESTAMP: `${MONTH} +(?:0[1-9]|[12]\\d|3[01]|[1-9]) ${TIME}`,
  TIME,
  TIMESTAMP_ISO8601: `\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:?\\d\\d(?::?\\d\\d(?:[.,]\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?`,
  URIPATHPARAM: '/[^\\s"\'<>]*',
  USER: '[\\w.-]+',
  USERNAME: '[\\w.-]+',
  UUID: '[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}',
  WORD: '\\b\\w+\\b',
  YEAR: '\\d{4}',
}
