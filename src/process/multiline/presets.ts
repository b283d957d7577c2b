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

/** What a line of a log begins with, and the second line of an exception's message hardly ever. */
const STAMP = '^(?:[\\d\\[{(<"|]|[A-Z]{4}|[a-z]+=|[a-z]{4}: |[A-Z][a-z][a-z],? +\\d|[IWEFD]\\d{4} )'
/** So many lines of a message may stand between an exception's name and its first frame. */
const MESSAGE_LINES = 8

/** The states of a message that has several lines, from `first` on: what matches nothing of `rules` and is no stamp. */
function messageLines(first: number, rules: (at: number) => Rule[]): (readonly Rule[])[] {
  return Array.from({ length: MESSAGE_LINES + 1 }, (_, n) => [
    ...rules(first + n),
    go('stamp', 'begins', 0),
    ...(n < MESSAGE_LINES ? [go('any', 'joins', first + n + 1)] : []),
  ])
}

/** What would go on with a line of text begins a record behind an object: with that it would be none any more. */
function behindObjects({ expressions, states: [first = [], ...others] }: Machine): Machine {
  const behind = others.length + 1
  const usual = [go('object', 'begins', behind), ...first]
  const apart = usual.map(rule => (rule.step === 'joins' ? go(rule.on, 'begins', 0) : rule))
  return { expressions: { ...expressions, object: '^\\{' }, states: [usual, ...others, apart] }
}

interface Exceptions {
  /** `com.example.FailedException: words`, also behind a log line that says what was being done. */
  readonly header: string
  /** The same within a trace, of what it was caused by. */
  readonly cause: string
  /** What else stands in a trace. */
  readonly part: string
  /** What the runtime says of one that was not caught, before its name. */
  readonly uncaught: string
  /** A record of two lines: what the first one begins with, and the second. */
  readonly pair?: readonly [string, string]
}

function exceptions({ header, cause, part, uncaught, pair }: Exceptions): Machine {
  const [inTrace, afterFirst, inMessage] = [1, 2, 3]
  const within = (here: number) => [
    go('cause', 'continues', inMessage),
    go('part', 'continues', inTrace),
    go('indent', 'continues', here),
  ]
  const message = messageLines(inMessage, at => [...within(at), go('header', 'begins', 0)])
  return behindObjects({
    expressions: {
      indent: INDENT,
      blank: BLANK,
      stamp: STAMP,
      header,
      cause,
      part,
      uncaught,
      ...(pair && { first: pair[0], second: pair[1] }),
    },
    states: [
      [
        ...(pair ? [go('first', 'begins', afterFirst)] : []),
        ...within(inTrace),
        go('header', 'joins', inMessage),
        go('uncaught', 'begins', inMessage),
      ],
      // A second header is another trace. java.util.logging ends one with an empty line.
      [...within(inTrace), go('blank', 'joins', 0)],
      pair ? [go('second', 'joins', 0)] : [],
      ...message,
    ],
  })
}

function goroutines(): Machine {
  const [inTrace, overflow, inMessage] = [1, 2, 3]
  const within = ['goroutine', 'frame', 'indent', 'other'].map(name => go(name, 'joins', inTrace))
  return behindObjects({
    expressions: {
      runtime: '^runtime: ',
      panic: '^(?:panic: |fatal error: |SIG[A-Z]+: |(?:[\\d/]+ [\\d:.]+ )?http: panic serving )',
      goroutine: '^goroutine \\d+ ',
      // `panic(` has no package; %2e is a dot in the name of one; elided frames stand between dots.
      frame: '^(?:created by |panic\\(|runtime stack:|\\.\\.\\.|[A-Za-z_][\\w.\\-/%~]*\\.[\\w.()*\\[\\]·\\-]+\\()',
      indent: INDENT,
      other: '^(?:\\[signal |\\[originating |exit status \\d|PC=0x|r\\w+ +0x|[a-z]+ +0x)',
      blank: BLANK,
      stamp: STAMP,
    },
    states: [
      [
        go('runtime', 'begins', overflow),
        go('panic', 'begins', inMessage),
        go('goroutine', 'joins', inTrace),
        go('indent', 'continues', 0),
      ],
      [...within, go('blank', 'joins', inTrace)],
      [go('runtime', 'joins', overflow), go('panic', 'joins', inMessage), ...within, go('blank', 'joins', overflow)],
      ...messageLines(inMessage, at => [...within, go('blank', 'joins', at), go('panic', 'begins', 0)]),
    ],
  })
}

export const MACHINES: Readonly<Record<PresetName, Machine>> = {
  java: exceptions({
    header: '^(?:[A-Za-z_$][\\w$]*\\.)+[A-Za-z_$][\\w$]*(?:Exception|Error|Throwable)(?::|\\s*$)',
    cause: '^[ \\t]*(?:Caused by|Suppressed|Wrapped by): ',
    part: '^(?:[ \\t]+at \\S|[ \\t]*\\.\\.\\. \\d+ (?:more|common frames omitted))',
    uncaught: '^Exception in thread "',
    // SimpleFormatter of java.util.logging, in any language.
    pair: ['^[^ \\d]+ \\d\\d, \\d{4} \\d', '^[^ :]+: '],
  }),
  dotnet: exceptions({
    header: '^(?:[A-Za-z_]\\w*\\.)+\\w*Exception(?: \\(0x[0-9A-Fa-f]+\\))?(?::|\\s*$)',
    cause: '^[ \\t]*---> ',
    uncaught: '^Unhandled [eE]xception[.:] ',
    part: '^(?:[ \\t]+at \\S|[ \\t]*--- End of )',
  }),
  python: behindObjects({
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
  }),
  go: goroutines(),
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

/** Lines that a container runtime wrote in parts: those of one stream that follow each other are one, up to the last. */
export const PARTS: Machine = {
  expressions: Object.fromEntries(
    ['stdout', 'stderr'].flatMap(stream =>
      ['P', 'F'].map(tag => [`${stream}${tag}`, `^\\S{20,64} ${stream} ${tag}(?::\\S*)?(?: |$)`]),
    ),
  ),
  states: [
    [go('stdoutP', 'begins', 1), go('stderrP', 'begins', 2), go('any', 'ends', 0)],
    [go('stdoutP', 'joins', 1), go('stdoutF', 'ends', 0)],
    [go('stderrP', 'joins', 2), go('stderrF', 'ends', 0)],
  ],
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
