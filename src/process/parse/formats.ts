/**
 * Formats that are expressions: of each the first that matches is taken. Names are short, and the same in all of them.
 *
 * Lines of access logs are found by a loop of their own (kernel/assembly/process/access.ts): they are most of what servers
 * write, and expressions take several times as long for as many groups.
 */

export interface ExpressionFormat {
  readonly expressions: readonly string[]
  /** Groups that are numbers where they can be. */
  readonly numbers: readonly string[]
}

/** The log of errors of nginx: `2026/11/23 10:00:01 [error] 29#31: *1 open() failed`. */
const NGINX = [
  '^(?P<time>\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d) \\[(?P<level>[a-z]+)\\] (?P<pid>\\d+)#(?P<tid>\\d+): (?P<message>.*)$',
]

/** And of Apache since 2.4: `[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 43] [client ::1] words`. */
const APACHE = [
  '^\\[(?P<time>[^\\]]+)\\] \\[(?P<module>[\\w-]*):(?P<level>[a-z0-9]+)\\] \\[pid (?P<pid>\\d+)(?::tid (?P<tid>\\d+))?\\] (?:\\[client (?P<client>[^\\]]+)\\] )?(?P<message>[^\\[].*)$',
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
  nginx: { expressions: NGINX, numbers: ['pid', 'tid'] },
  apache: { expressions: APACHE, numbers: ['pid', 'tid'] },
  klog: { expressions: KLOG, numbers: ['pid'] },
  syslog: { expressions: SYSLOG, numbers: ['priority', 'pid'] },
} as const satisfies Record<string, ExpressionFormat>
