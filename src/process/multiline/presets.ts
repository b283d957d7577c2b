/**
 * Stack traces of known languages: which lines go on with the one before them.
 *
 * A machine is in state 0 where a record begins. Of the rules of its state the first whose expression matches the head of
 * the line holds; otherwise the line begins a record.
 */
import type { PresetName } from './options.ts'

/** `begins`: a record begins. `joins`: the line goes on, and could begin a record elsewhere. `continues`: it could not. */
export type Step = 'begins' | 'joins' | 'continues' | 'ends'

export interface Rule {
  /** The name of an expression, or `any`. */
  readonly on: string
  readonly step: Step
  /** The state behind the line. */
  readonly to: number
}

export interface Machine {
  readonly expressions: Readonly<Record<string, string>>
  /** By state. Where none matches a record begins, in state 0. */
  readonly states: readonly (readonly Rule[])[]
}

const go = (on: string, step: Step, to: number): Rule => ({ on, step, to })

const INDENT = '^[ \\t]+\\S'
const BLANK = '^[ \\t]*$'

/** `com.example.FailedException: words`, also behind a log line that says what was being done. */
function exceptions(header: string, more: Readonly<Record<string, string>>): Machine {
  const inTrace = [...Object.keys(more), 'indent'].map(name => go(name, 'continues', 1))
  return {
    expressions: { ...more, indent: INDENT, header },
    states: [
      [...inTrace, go('header', 'joins', 1)],
      // A second header is another trace.
      inTrace,
    ],
  }
}

export const MACHINES: Readonly<Record<PresetName, Machine>> = {
  java: exceptions('^(?:[A-Za-z_$][\\w$]*\\.)+[A-Za-z_$][\\w$]*(?:Exception|Error|Throwable)(?::|\\s*$)', {
    cause: '^(?:Caused by: |Suppressed: |Wrapped by: |\\.\\.\\. \\d+ (?:more|common frames omitted))',
  }),
  dotnet: exceptions('^(?:[A-Za-z_]\\w*\\.)+\\w*Exception(?: \\(0x[0-9A-Fa-f]+\\))?(?::|\\s*$)', {
    inner: '^--- End of ',
    arrow: '^ ?---> ',
  }),
  python: {
    expressions: {
      traceback: '^Traceback \\(most recent call last\\):',
      indent: INDENT,
      chain: '^(?:During handling of the above exception|The above exception was the direct cause)',
      blank: BLANK,
    },
    states: [
      [go('traceback', 'joins', 1), go('indent', 'continues', 0), go('chain', 'continues', 3)],
      // Frames, and then the exception's own line, which may say anything.
      [go('traceback', 'begins', 1), go('indent', 'continues', 1), go('blank', 'continues', 1), go('any', 'joins', 2)],
      [go('indent', 'continues', 2), go('blank', 'continues', 2), go('chain', 'continues', 3)],
      [go('blank', 'continues', 3), go('traceback', 'joins', 1)],
    ],
  },
  go: {
    expressions: {
      panic: '^(?:panic: |fatal error: |runtime: |(?:\\d{4}/\\d\\d/\\d\\d \\d\\d:\\d\\d:\\d\\d )?http: panic serving )',
      goroutine: '^goroutine \\d+ ',
      frame: '^(?:created by |[A-Za-z_][\\w.\\-/]*\\.[\\w.()*\\[\\]·\\-]+\\()',
      indent: INDENT,
      other: '^(?:\\[signal |exit status \\d|r\\w+ +0x|[a-z]+ +0x)',
      blank: BLANK,
    },
    states: [
      [go('panic', 'begins', 1), go('goroutine', 'begins', 1), go('indent', 'continues', 0)],
      ['goroutine', 'frame', 'indent', 'other', 'blank'].map(name => go(name, 'joins', 1)),
    ],
  },
  node: {
    expressions: {
      indent: INDENT,
      place: '^(?:file://)?/?[\\w@.\\-/\\\\:]+\\.[cm]?[jt]sx?:\\d+$',
      close: '^[}\\]]',
      caret: '^\\^+$',
      error: '^(?:Uncaught )?[A-Za-z_$][\\w$.]*(?: \\[\\w+\\])?: ',
      blank: BLANK,
      version: '^Node\\.js v\\d',
    },
    states: [
      [go('indent', 'continues', 0), go('close', 'continues', 0), go('place', 'begins', 1)],
      // What was thrown uncaught: the place, the line of code, a caret, a blank line, the error, and the version.
      [go('any', 'joins', 2)],
      [go('indent', 'continues', 2), go('caret', 'continues', 2), go('blank', 'continues', 2), go('error', 'joins', 3)],
      [
        go('indent', 'continues', 3),
        go('close', 'continues', 3),
        go('blank', 'continues', 3),
        go('version', 'continues', 0),
      ],
    ],
  },
  ruby: {
    expressions: {
      indent: INDENT,
      uncaught: '^\\S+:\\d+:in .+ \\([A-Z][\\w:]*\\)$',
      frame: '^(?:\\S+\\.(?:rb|erb|rake|ru)|\\S*<internal:\\S+>|\\(eval[^)]*\\)|bin/\\S+):\\d+:in ',
    },
    states: [[go('indent', 'continues', 0), go('uncaught', 'begins', 0), go('frame', 'continues', 0)]],
  },
  php: {
    expressions: {
      part: '^(?:Stack trace:|#\\d+ |Next [A-Za-z_\\\\]|\\[(?:stacktrace|previous exception)\\]|"\\}[ \\t]*$)',
      indent: INDENT,
    },
    states: [[go('part', 'continues', 0), go('indent', 'continues', 0)]],
  },
  rust: {
    expressions: {
      quoted: "^thread '.*' (?:\\(\\d+\\) )?panicked at '",
      panic: "^thread '.*' (?:\\(\\d+\\) )?panicked at ",
      error: '^Error: ',
      part: '^(?:note: |stack backtrace:|Caused by:)',
      indent: INDENT,
      blank: BLANK,
    },
    states: [
      [
        go('quoted', 'begins', 2),
        go('panic', 'begins', 1),
        go('error', 'begins', 3),
        go('part', 'continues', 2),
        go('indent', 'continues', 0),
      ],
      // Behind the place comes the message, which may say anything.
      [go('any', 'joins', 2)],
      [go('part', 'continues', 2), go('indent', 'continues', 2)],
      [go('blank', 'continues', 3), go('part', 'continues', 2), go('indent', 'continues', 3)],
    ],
  },
  indent: { expressions: { indent: INDENT }, states: [[go('indent', 'continues', 0)]] },
  date: starting([
    '^(?:\\[?[A-Z]{4,8}\\]?[ :]+)?[\\[(]?\\d{4}[-/.]\\d{1,2}[-/.]\\d{1,2}',
    '^[\\[(]?\\d{1,2}[-/.]\\d{1,2}[-/.]\\d{4}',
    '^[\\[(]?\\d{1,2}[-/ ][A-Z][a-z]{2}[-/ ]\\d{4}',
    '^[\\[(]?(?:[A-Z][a-z]{2},? )?(?:[A-Z][a-z]{2} [ \\d]\\d|\\d{1,2} [A-Z][a-z]{2})[ ,]',
    '^[\\[(]?\\d\\d:\\d\\d:\\d\\d',
    '^[IWEFD]\\d{4} \\d\\d:\\d\\d:\\d\\d',
    '^\\d{10}(?:\\d{3})?(?:\\.\\d+)?[ \\t]',
    '^\\{"',
  ]),
}

/** What matches begins a record, and all else goes on. */
export function starting(expressions: readonly string[]): Machine {
  const names = named(expressions)
  return {
    expressions: names,
    states: [[...Object.keys(names).map(name => go(name, 'begins', 0)), go('any', 'continues', 0)]],
  }
}

/** What matches goes on, and all else begins a record. */
export function continuing(expressions: readonly string[]): Machine {
  const names = named(expressions)
  return { expressions: names, states: [Object.keys(names).map(name => go(name, 'continues', 0))] }
}

/** What matches ends a record, and all else up to there goes on. */
export function ending(expressions: readonly string[]): Machine {
  const names = named(expressions)
  const ends = Object.keys(names).map(name => go(name, 'ends', 0))
  return {
    expressions: names,
    states: [
      [...ends, go('any', 'begins', 1)],
      [...ends, go('any', 'joins', 1)],
    ],
  }
}

/** A record begins with one expression and ends with another. */
export function enclosed(starts: readonly string[], ends: readonly string[]): Machine {
  const first = named(starts)
  const last = Object.fromEntries(ends.map((text, index) => [`end${index}`, text]))
  const over = Object.keys(last).map(name => go(name, 'ends', 0))
  const begun = Object.keys(first).map(name => go(name, 'begins', 1))
  return {
    expressions: { ...first, ...last },
    // Outside of those each line is a record.
    states: [[...begun], [...begun, ...over, go('any', 'joins', 1)]],
  }
}

function named(expressions: readonly string[]): Record<string, string> {
  return Object.fromEntries(expressions.map((text, index) => [`expression${index}`, text]))
}
