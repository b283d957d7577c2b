/**
 * What is wrong with a configuration, as a sentence that lets someone mend it without a manual: where it stands, what
 * was found there, what is allowed, and often what was probably meant.
 *
 * Guarantees: no value below `auth`, `headers`, `query` or `proxy.auth`, no value that came from `${…}` and no credentials inside a
 * URL are ever part of a problem.
 */

export interface Problem {
  /** The file's path as it was named, `environment` or `command line`. */
  readonly file: string
  /** Counted from 1. */
  readonly line?: number | undefined
  /** `backends[0].batch.maxBytes`, or the name of the variable if that is where it was set; empty for a whole file. */
  readonly key: string
  readonly found: string
  readonly allowed: string
  readonly hint?: string | undefined
}

/** One line for a terminal or a log. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`
  const key = problem.key === '' ? '' : ` ${problem.key}:`
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`
  return oneLine(`${place}:${key} found ${problem.found}; allowed: ${problem.allowed}${hint}`)
}

/** Where a value stands in the configuration: `['backends', 0, 'batch', 'maxBytes']`. */
export type KeyPath = readonly (string | number)[]

/** Takes down what is wrong at a place. */
export type Report = (path: KeyPath, problem: Omit<Problem, 'file' | 'line' | 'key'>) => void

/** `backends[0].batch.maxBytes` */
export function formatKey(path: KeyPath): string {
  let text = ''
  for (const step of path)
    text += typeof step === 'number' ? `[${step}]` : `${text === '' ? '' : '.'}${printable(step)}`
  return text
}

/** A value in a few printable words, or that it is hidden. */
export function describe(value: unknown, path: KeyPath): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'an empty value'
  if (isSecret(path)) return '(hidden)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value !== 'string') return String(value)
  // Everything between the scheme and the last @ of an address may be a user name and a password.
  if (/\/\/[^/]*@/.test(value)) return '(hidden: an address that holds credentials)'
  return JSON.stringify(printable(value.replace(/^(https?:\/\/[^?#]*)[?#].*$/is, '$1?…')))
}

/** Keys of a backend that may hold secrets: those of all, and what the types call their own. */
const SECRETIVE = new Set(['auth', 'headers', 'query', 'apiKey', 'token'])
/** What is below `auth` and no secret. */
const OPEN = new Set([
  ...['auth.aws.region', 'auth.aws.service', 'auth.google.credentialsFile', 'auth.azure.tokenFile'],
  'auth.azure.authorityHost',
])

/** Whether what stands there may be a secret, or a part of one. */
export function isSecret(path: KeyPath): boolean {
  if (path[0] !== 'backends' || OPEN.has(path.slice(2).join('.'))) return false
  return SECRETIVE.has(String(path[2])) || (path[2] === 'proxy' && path[3] === 'auth')
}

function printable(text: string): string {
  const plain = oneLine(text)
  return plain.length <= 80 ? plain : `${plain.slice(0, 77)}…`
}

/** A problem is one line, and a terminal must not obey what stands in a file. */
function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '·')
}
