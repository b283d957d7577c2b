/**
 * From what a person wrote to a `Config`, or to everything that is wrong with it, all at once.
 *
 *     file ─► parse ─► environment over it ─► command line over it ─► `${…}` in what the file said ─► schema ─► complete
 *
 * What the environment overrides is not looked at any more, so a `${VAR}` that is not set does no harm there. Values
 * from the environment and from `${…}` are texts; they become numbers, lists and maps where the schema wants those.
 * Never throws for anything that a person wrote.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Environment } from '../environment.ts'
import { costsOf, type ExpressionCost } from '../process/costs.ts'
import type { BackendProcessOptions } from '../process/options.ts'
import { formatSize } from '../size.ts'
import { advice } from './advice.ts'
import { complete } from './complete.ts'
import type { Config } from './config.ts'
import { copy, type KeyLocation, parseDocument, TOO_MANY, type Tree } from './document.ts'
import { applyEnvironment, type Variable, variables } from './environment.ts'
import { type Explained, explain } from './explain.ts'
import { foreign } from './foreign.ts'
import { inspect, valueAt } from './inspect.ts'
import { problemsOf } from './issues.ts'
import { knownKeys } from './known.ts'
import { MOST_VALUES } from './outline.ts'
import { formatKey, type KeyPath, type Problem } from './problem.ts'
import { type ReadText, readText } from './read.ts'
import { DEFAULT_TYPE, jsonSchema } from './schema.ts'
import { substitute } from './substitute.ts'

export { formatProblem, type Problem } from './problem.ts'

export const DEFAULT_FILE = '/etc/logshipper/config.yaml'
/** Bytes. */
export const FILE_LIMIT = 1024 ** 2

export interface LoadRequest {
  /** The file named on the command line; otherwise `LOGSHIPPER_CONFIG` names it, otherwise it is the usual one. */
  readonly file?: string | undefined
  /** What is in that file, where it is not to be read. */
  readonly text?: string | undefined
  /** Paths and globs from the command line, relative to `cwd`. They replace all sources but the first one's options. */
  readonly paths?: readonly string[] | undefined
  readonly env: Environment
  readonly cwd: string
  /** The default path of the file, which need not exist. */
  readonly defaultFile?: string | undefined
}

const MOST_PROBLEMS = 200

/** Stands for the place of a value that was guessed: what is said of it is not reported. */
const GUESSED = { file: '', key: '' }

export type Loaded =
  | {
      readonly kind: 'ok'
      readonly config: Config
      readonly warnings: readonly string[]
      readonly files: readonly string[]
      /** Each value of it, and who said it. */
      readonly explain: () => readonly Explained[]
      /** The expressions in it, and what each costs. */
      readonly expressions: () => readonly LocatedCost[]
      /** What the configuration file was: a configuration need not have one. */
      readonly file: 'parsed' | 'empty' | 'absent'
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly files: readonly string[] }

/** An expression, where it stands, and what it costs to look for it. */
export interface LocatedCost extends Pick<Problem, 'file' | 'line' | 'key'> {
  readonly expression: string
  readonly cost: ExpressionCost['cost']
}

/** `files` are the absolute paths of all files that had a say, also of those that could not be read: to watch. */
export async function loadConfig(request: LoadRequest): Promise<Loaded> {
  const { env, cwd } = request
  const files = new Set<string>()
  const problems: Problem[] = []
  const warnings: string[] = []
  const file = await readFile(request, files)
  if (file.kind === 'invalid') problems.push(...file.problems)
  if (file.kind === 'empty') warnings.push(`${file.name} is empty`)
  const tree: Tree = file.kind === 'parsed' ? file.tree : Object.create(null)
  // What editors are told.
  if (typeof tree['$schema'] === 'string') delete tree['$schema']

  const keys = knownKeys()
  const known = variables(keys)
  const paths = request.paths ?? []
  if (paths.length > 0 && tree.sources !== undefined) {
    warnings.push(`the sources of ${file.name} are ignored: the command line names others`)
    delete tree.sources
  }
  const applied = applyEnvironment(tree, env, known)
  problems.push(...applied.problems)
  warnings.push(...applied.warnings)
  const invalid = (): Loaded => ({
    kind: 'invalid',
    problems: inOrder(foreignInstead(file, problems)),
    files: [...files],
  })
  if (file.kind === 'invalid') return invalid()

  if (paths.length > 0) nameSources(tree, paths, cwd)
  const deployed = [...applied.origins.keys()].some(key => /^(?:sources|backends|state)\b/.test(key))
  if (paths.length > 0 && file.kind === 'absent' && !deployed) behaveLikeTail(tree)

  const fromCommandLine = (path: KeyPath): boolean => paths.length > 0 && formatKey(path).startsWith('sources[0].paths')
  const locate = locator(file, applied.origins, known, fromCommandLine)
  const {
    tree: final,
    templates,
    refusals,
  } = substitute(
    tree,
    keys,
    { env, onFile: path => files.add(path) },
    path => applied.origins.has(formatKey(path)) || fromCommandLine(path),
  )
  for (const { path, ...refusal } of refusals) problems.push({ ...locate(path), ...refusal })
  // What variables and `${…}` put in may be lists.
  if (copy(final, { deepest: Number.POSITIVE_INFINITY, most: MOST_VALUES }) === TOO_MANY) {
    const found = 'too many keys and values after substitution'
    problems.push({ file: file.name, key: '', found, allowed: `at most ${MOST_VALUES} of them` })
    return invalid()
  }
  if (final.sources === undefined || (Array.isArray(final.sources) && final.sources.length === 0)) {
    problems.push(noSources(file))
  }
  const inspected = inspect(final)
  const refused = new Set(refusals.map(({ path }) => formatKey(path)))
  const issues = inspected.issues.filter(issue => !refused.has(formatKey(issue.path as KeyPath)))
  const template = (path: KeyPath): string | undefined => templates.get(formatKey(path))
  const typeOf = (index: number): string | undefined => {
    const written = valueAt(final, ['backends', index, 'type']) ?? DEFAULT_TYPE
    return inspected.guesses.has(index) ? inspected.guesses.get(index) : String(written)
  }
  problems.push(...problemsOf(issues, { tree: final, keys, locate, template, typeOf }))
  const { data } = inspected
  const completed = data && complete(data, { env, locate: path => (inspected.doubtful(path) ? GUESSED : locate(path)) })
  if (completed !== undefined) {
    problems.push(...completed.problems.filter(({ file }) => file !== GUESSED.file))
    warnings.push(...completed.warnings)
  }
  if (completed === undefined || problems.length > 0) return invalid()
  const { config } = completed
  warnings.push(...advice(config, env))
  const named = data!.backends.map((entry, index) => {
    const { name, sources } = config.backends[index]!
    return { ...entry, name, sources }
  })
  const effective = {
    ...data,
    sources: config.sources,
    backends: named,
    memory: { budget: formatSize(config.memory.budget) },
    log: config.log,
  }
  const origin = { given: final, schema: jsonSchema, locate, template }
  return {
    kind: 'ok',
    config,
    warnings,
    files: [...files],
    file: file.kind,
    explain: () => explain(effective, origin),
    expressions: () => {
      const located = (holder: KeyPath, all: readonly ExpressionCost[]): LocatedCost[] =>
        all.map(({ path, expression, cost }) => ({ ...locate([...holder, ...path]), expression, cost }))
      return [
        ...config.sources.flatMap((source, index) => located(['sources', index], costsOf(source))),
        ...data!.backends.flatMap((entry, index) =>
          located(['backends', index], costsOf(entry as unknown as BackendProcessOptions)),
        ),
      ]
    },
  }
}

/** The absolute path of the configuration file, whether it is there or not. */
export function configurationFile({ file, env, cwd, defaultFile }: LoadRequest): string {
  return resolve(cwd, file ?? (env.LOGSHIPPER_CONFIG || undefined) ?? defaultFile ?? DEFAULT_FILE)
}

type FileRead = { readonly name: string; readonly text?: string } & (
  | { readonly kind: 'parsed'; readonly tree: Tree; readonly lineOf: (path: KeyPath) => KeyLocation | undefined }
  | { readonly kind: 'empty' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
)

async function readFile(request: LoadRequest, files: Set<string>): Promise<FileRead> {
  const named = request.file ?? (request.env.LOGSHIPPER_CONFIG || undefined)
  const name = named ?? request.defaultFile ?? DEFAULT_FILE
  const path = configurationFile(request)
  const text: ReadText = request.text === undefined ? readText(path, FILE_LIMIT) : { kind: 'text', text: request.text }
  if (text.kind === 'absent' && named === undefined) return { kind: 'absent', name }
  files.add(path)
  if (text.kind !== 'text') {
    const hint = request.file === undefined && named !== undefined ? 'LOGSHIPPER_CONFIG names it' : undefined
    return {
      kind: 'invalid',
      name,
      problems: [{ file: name, key: '', found: text.found, allowed: text.allowed, hint }],
    }
  }
  return { name, text: text.text, ...(await parseDocument(name, text.text)) }
}

/** Of a file that is another shipper's only that is said: nothing in it is what it should be here. */
function foreignInstead({ name, text }: FileRead, problems: readonly Problem[]): readonly Problem[] {
  const instead = text === undefined ? undefined : foreign(name, text)
  return instead === undefined ? problems : [instead, ...problems.filter(each => each.file !== name)]
}

/**
 * As someone goes through them with an editor: from top to bottom, then what stands elsewhere. Of very many the first:
 * they go into the log too, and most of them are one mistake that was copied.
 */
function inOrder(problems: readonly Problem[]): Problem[] {
  const line = (problem: Problem): number => problem.line ?? Number.MAX_SAFE_INTEGER
  const sorted = problems.toSorted((a, b) => line(a) - line(b))
  const more = sorted.length - MOST_PROBLEMS
  if (more <= 0) return sorted
  const rest = { file: sorted[0]!.file, key: '', found: `${more} more problems`, allowed: 'none' }
  return [...sorted.slice(0, MOST_PROBLEMS), rest]
}

type Locate = (path: KeyPath) => Pick<Problem, 'file' | 'line' | 'key'>

/**
 * Who is to blame for the value at a path: the variable that set it or what holds it, the command line, the line of the
 * file; for what is missing, that of its neighbours.
 */
function locator(
  file: FileRead,
  origins: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, Variable>,
  fromCommandLine: (path: KeyPath) => boolean,
): Locate {
  const names = new Map([...known.values()].map(variable => [formatKey(variable.path), variable.name]))
  return path => {
    const key = formatKey(path)
    for (let length = path.length; length > 0; length--) {
      const variable = origins.get(formatKey(path.slice(0, length)))
      if (variable !== undefined) return { file: 'environment', key: variable }
    }
    if (fromCommandLine(path)) return { file: 'command line', key }
    const place = file.kind === 'parsed' ? file.lineOf(path) : undefined
    const holder = `${formatKey(path.slice(0, -1))}.`
    const neighbours = [...origins.keys()].some(each => each.startsWith(holder))
    if (file.kind !== 'parsed' || (neighbours && (place?.depth ?? 0) < path.length - 1)) {
      return { file: 'environment', key: names.get(key) ?? key }
    }
    return { file: file.name, line: place?.line, key }
  }
}

/** A name that exists is that file, whatever signs it has; any other may be a glob. */
function nameSources(tree: Tree, paths: readonly string[], cwd: string): void {
  const absolute = paths.map(path => {
    const full = resolve(cwd, path)
    return existsSync(full) ? full.replace(/[*?[{}()|]|\\/g, sign => (sign === '\\' ? '[\\\\]' : `[${sign}]`)) : full
  })
  const list = Array.isArray(tree.sources) ? tree.sources : [Object.create(null)]
  list[0].paths = absolute
  tree.sources = list
}

/** Like `tail -F`, a command leaves nothing behind, and several of them do not get in each other's way. */
function behaveLikeTail(tree: Tree): void {
  tree.state = { dir: null }
  tree.server = { port: null, admin: null, ...(tree.server as Tree | undefined) }
}

function noSources(file: FileRead): Problem {
  return {
    file: file.kind === 'absent' ? 'environment' : file.name,
    key: 'sources',
    found: file.kind === 'empty' ? 'an empty file' : 'nothing to follow',
    allowed: 'at least one source',
    hint: `give paths on the command line (logshipper /var/log/app/*.log), set LOGSHIPPER_SOURCE_PATHS, or write sources into ${file.name}`,
  }
}
