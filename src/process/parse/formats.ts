/**
 * Formats that are expressions: of each the first that matches is taken. Names are short, and the same in all of them.
 *
 * All are written so that one pass finds their groups: no byte may be the next of two of them. So the first of each says what
 * servers write by default, and those behind it take what clients can do to a line (a request that is none) and the log
 * of errors.
 */

export interface ExpressionFormat {
  readonly expressions: readonly string[]
  /** Groups that are numbers where they can be. */
  readonly numbers: readonly string[]
}

/** What may stand in quotes: a quote in it is escaped. */
const QUOTED = '(?:[^"\\\\]|\\\\.)*'
const CLIENT = '(?P<client>[^ ]+) [^ ]+ (?P<user>[^ ]+) \\[(?P<time>[^\\]]+)\\] '
const PATH = '(?P<path>[^" ?]*)(?:\\?(?P<query>[^" ]*))?'
const REQUEST = `"(?P<method>[A-Z]+) ${PATH}(?: (?P<protocol>[^" ]+))?" `
const ANY_REQUEST = `"(?P<request>${QUOTED})" `
const ANSWER = '(?P<status>\\d+) (?P<bytes>\\d+|-)'
const AGENT = ` "(?P<referer>${QUOTED})" "(?P<agent>${QUOTED})"`
const REST = '(?: (?P<rest>.*))?'
const NUMBERS = ['status', 'bytes', 'pid', 'tid']

/** nginx's `combined`, with the forwarded address that its image adds, and whatever a format has behind that. */
const NGINX = [
  `^${CLIENT}${REQUEST}${ANSWER}${AGENT}(?: (?:"(?P<forwarded>${QUOTED})" ?)?(?P<rest>[^" ].*)?)?$`,
  `^${CLIENT}${ANY_REQUEST}${ANSWER}(?:${AGENT}${REST})?$`,
  '^(?P<time>\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d) \\[(?P<level>[a-z]+)\\] (?P<pid>\\d+)#(?P<tid>\\d+): (?P<message>.*)$',
]

/** Apache's `common`, `combined` and `vhost_combined`, and its log of errors since 2.4. */
const APACHE = [
  `^${CLIENT}${REQUEST}${ANSWER}(?:${AGENT}${REST})?$`,
  `^${CLIENT}${ANY_REQUEST}${ANSWER}(?:${AGENT}${REST})?$`,
  `^(?P<host>[^ ]+) ${CLIENT}${REQUEST}${ANSWER}(?:${AGENT}${REST})?$`,
  `^\\[(?P<time>[^\\]]+)\\] \\[(?P<module>[\\w-]*):(?P<level>[a-z0-9]+)\\] \\[pid (?P<pid>\\d+)(?::tid (?P<tid>\\d+))?\\] ${'(?:\\[client (?P<client>[^\\]]+)\\] )?(?P<message>[^\\[].*)$'}`,
]

/** `I1123 10:00:00.123456       1 controller.go:42] said hi` */
const KLOG = [
  '^(?P<level>[IWEF])(?P<time>\\d{4} \\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?) +(?P<pid>\\d+) (?P<caller>[^ \\]]+)\\](?: (?P<message>.*))?$',
]

/** RFC 5424, and what is written as RFC 3164, with its priority or without. */
const SYSLOG = [
  '^<(?P<priority>\\d{1,3})>1 (?P<time>[^ ]+) (?P<host>[^ ]+) (?P<app>[^ ]+) (?P<pid>[^ ]+) (?P<msgid>[^ ]+) (?:-|(?P<data>(?:\\[(?:[^\\]\\\\]|\\\\.)*\\])+))(?: (?P<message>.*))?$',
  '^(?:<(?P<priority>\\d{1,3})>)?(?P<time>[A-Z][a-z]{2} +\\d\\d? \\d\\d:\\d\\d:\\d\\d|\\d{4}-\\d\\d-\\d\\dT[^ ]+) (?P<host>[^ ]+) (?P<app>[^ :\\[]+)(?:\\[(?P<pid>[^\\]]*)\\])?:(?: (?P<message>.*))?$',
]

export const EXPRESSION_FORMATS = {
  nginx: { expressions: NGINX, numbers: NUMBERS },
  apache: { expressions: APACHE, numbers: NUMBERS },
  klog: { expressions: KLOG, numbers: NUMBERS },
  syslog: { expressions: SYSLOG, numbers: ['priority', 'pid'] },
} as const satisfies Record<string, ExpressionFormat>
