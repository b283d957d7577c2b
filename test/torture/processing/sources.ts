/** The sources of the torture of processing: what is configured for each, and what the judge knows of it. */
import { continuing, ending, MACHINES, starting } from '../../../src/process/multiline/presets.ts'
import { processShape } from '../../../src/process/options.ts'
import { UNWANTED } from './poison.ts'
import type { KindName } from './records.ts'
import { Twin } from './twin.ts'

export const SOURCES = [
  'java',
  'mixed',
  'own',
  'ended',
  'goes-on',
  'json',
  'nginx',
  'sampled',
  'repeated',
  'slow',
  'curbed',
] as const
export type SourceName = (typeof SOURCES)[number]

/** Whether the program under test has such a key of a source. */
export const knows = (key: string): boolean => Object.hasOwn(processShape, key)

/** Milliseconds without growth after which a last record is complete. */
export const FLUSH = 200
/** Longer lines are cut. */
export const MAX_LINE = 8 * 1024
const MOST_LINES = 12
const MOST_BYTES = 4 * 1024

export interface Source {
  readonly name: SourceName
  /** What its files hold. */
  readonly kinds: readonly KindName[]
  /** How lines become records; undefined: each is one. */
  readonly twin: Twin | undefined
  /** Keys beside its paths. */
  readonly options: Readonly<Record<string, unknown>>
  /** Records have times of their own. */
  readonly timed: boolean
  /** Lines are written whole: of half a line it cannot be said what becomes of it. */
  readonly whole?: true
  /** Of records that follow each other and are alike the last one arrives, and says how many they are. */
  readonly repeats?: true
  /** What is over its limit is dropped: of which records that are depends on when they were read, and by which process. */
  readonly curbed?: true
}

/** The share of records of the last source that is kept, by this value; errors are kept in any case. */
export const SAMPLE = { keep: 0.5, by: 'serial' } as const

/** Records a second of a file: those that wait, and those beyond which records are dropped. */
export const LIMIT = { slow: 400, curbed: 50 } as const
/** Records of a run, and their bytes, at the most. */
export const RUN = { records: 500, bytes: 128 * 1024 } as const

/** A ticket is a secret that only an expression knows. */
const REDACT = {
  ...{ rules: ['secrets', 'pii'], keys: ['sessionId'] },
  match: { ticket: 'ticket=(?<secret>[A-Za-z0-9]{14})' },
}

const bounds = { lines: 0, bytes: MAX_LINE }

/** What stands beside multiline and parse, as far as the program has it. */
function rest(parsed: boolean): Record<string, unknown> {
  return {
    ...(knows('redact') && { redact: REDACT }),
    ...(knows('filter') && { filter: { drop: [...UNWANTED], ...(parsed && knows('level') && { below: 'info' }) } }),
    ...(parsed && knows('time') && { time: 'auto' }),
    ...(parsed && knows('level') && { level: 'auto' }),
  }
}

const flush = `${FLUSH}ms`

export const SOURCE: Readonly<Record<SourceName, Source>> = {
  java: {
    name: 'java',
    kinds: ['java', 'java', 'plain', 'long', 'key'],
    twin: new Twin([MACHINES.java], bounds),
    options: { multiline: { preset: 'java', flush }, ...rest(false) },
    timed: false,
  },
  mixed: {
    name: 'mixed',
    kinds: ['python', 'go', 'ruby', 'plain'],
    twin: new Twin([MACHINES.python, MACHINES.go, MACHINES.ruby], bounds),
    options: { multiline: { preset: ['python', 'go', 'ruby'], flush }, ...rest(false) },
    timed: false,
  },
  own: {
    name: 'own',
    kinds: ['own', 'own', 'key', 'long'],
    twin: new Twin([starting(['^\\d{4}-\\d\\d-\\d\\d '])], { lines: MOST_LINES, bytes: MOST_BYTES }),
    options: {
      multiline: { start: '^\\d{4}-\\d\\d-\\d\\d ', flush, maxLines: MOST_LINES, maxBytes: MOST_BYTES },
      ...rest(false),
    },
    timed: false,
  },
  ended: {
    name: 'ended',
    kinds: ['ended'],
    twin: new Twin([ending([';$'])], bounds),
    options: { multiline: { end: ';$', flush }, ...rest(false) },
    timed: false,
  },
  'goes-on': {
    name: 'goes-on',
    kinds: ['goesOn'],
    twin: new Twin([continuing(['^\\s', '^\\+'])], bounds),
    options: { multiline: { continue: ['^\\s', '^\\+'], flush }, ...rest(false) },
    timed: false,
  },
  json: {
    name: 'json',
    kinds: ['json', 'json', 'json', 'plain', 'long'],
    twin: undefined,
    options: { parse: 'json', ...rest(true) },
    timed: knows('time'),
  },
  nginx: {
    name: 'nginx',
    kinds: ['nginx', 'nginx', 'plain'],
    twin: undefined,
    options: { parse: 'nginx', ...rest(false), ...(knows('time') && { time: 'auto' }) },
    timed: knows('time'),
  },
  sampled: {
    name: 'sampled',
    kinds: ['json'],
    twin: undefined,
    options: { parse: 'json', ...rest(true), ...(knows('sample') && { sample: SAMPLE }) },
    timed: knows('time'),
    whole: true,
  },
  repeated: {
    name: 'repeated',
    kinds: ['same', 'same', 'same', 'plain'],
    twin: undefined,
    // A run of which it is seen for so long that it goes on would end: no program takes so long.
    options: { ...rest(false), ...(knows('repeats') && { repeats: { window: '1h', flush } }) },
    timed: false,
    whole: true,
    ...(knows('repeats') && { repeats: true }),
  },
  slow: {
    name: 'slow',
    kinds: ['plain'],
    twin: undefined,
    options: { ...rest(false), ...(knows('limit') && { limit: { records: LIMIT.slow } }) },
    timed: false,
  },
  curbed: {
    name: 'curbed',
    kinds: ['json'],
    twin: undefined,
    options: {
      parse: 'json',
      ...rest(true),
      ...(knows('limit') && { limit: { records: LIMIT.curbed, over: 'drop' } }),
    },
    timed: knows('time'),
    whole: true,
    ...(knows('limit') && { curbed: true }),
  },
}
