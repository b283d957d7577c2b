/**
 * The configuration by environment: `LOGSHIPPER_` plus a key's path in upper snake case, where `SOURCE` and `BACKEND`
 * mean the first of each list. A variable wins over the file; an empty one is as good as none.
 *
 * A variable with our prefix that names no key, or with a misspelt prefix and a key behind it, is a problem, for it
 * would otherwise be a setting that silently does nothing. Kubernetes puts variables of its own into every container,
 * named after services: one called `logshipper` or `logshipper-metrics` yields `LOGSHIPPER_SERVICE_HOST`,
 * `LOGSHIPPER_PORT_9614_TCP` and the like. Those are passed over.
 */
import type { Environment } from '../environment.ts'
import type {} from './config.ts'
import type { Tree } from './document.ts'
import { coerce, type Key } from './keys.ts'
import { nearest } from './nearest.ts'
import { formatKey, type KeyPath, type Problem } from './problem.ts'

const PREFIX = 'LOGSHIPPER_'

/** Not keys of the file: where the file is, and who we are. */
const OTHERS = ['CONFIG'].map(name => PREFIX + name)

const SERVICE =
  /^LOGSHIPPER_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$/
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//i

export interface Variable {
  readonly name: string
  readonly path: KeyPath
  readonly key: Key
}

/** Every variable that sets a key, by name. */
export function variables(root: Key): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>()
  const visit = (key: Key, name: string, path: KeyPath): void => {
    const holds = [...key.kinds].some(kind => kind !== 'object' && kind !== 'null') || key.values !== undefined
    if (holds) found.set(name, { name, path, key })
    for (const [step, property] of key.properties) visit(property, `${name}_${upperSnake(step)}`, [...path, step])
  }
  for (const [step, key] of root.properties) {
    const first = key.items?.properties.size ? key.items : undefined
    if (first) visit(first, PREFIX + upperSnake(step).replace(/S$/, ''), [step, 0])
    else visit(key, PREFIX + upperSnake(step), [step])
  }
  // The element of a list is no value of its own.
  for (const [name, { path }] of found) if (path.length === 2 && path[1] === 0) found.delete(name)
  return found
}

export interface Applied {
  /** The name of the variable that set a key, by the key's path as text. */
  readonly origins: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Writes what the environment says into `tree`. */
export function applyEnvironment(tree: Tree, env: Environment, known: ReadonlyMap<string, Variable>): Applied {
  const origins = new Map<string, string>()
  const problems: Problem[] = []
  const warnings: string[] = []
  for (const name of Object.keys(env).sort()) {
    const text = env[name]
    if (text === undefined || text === '' || OTHERS.includes(name)) continue
    if (!name.startsWith(PREFIX)) {
      const meant = misspelt(name, known)
      if (meant !== undefined) problems.push(unknownVariable(name, meant))
      continue
    }
    const variable = known.get(name)
    if (SERVICE.test(name) && (!variable || SERVICE_ADDRESS.test(text))) {
      if (variable) warnings.push(`${name} was set by Kubernetes for a service of that name, not for us: it is ignored`)
      continue
    }
    if (!variable) {
      // Without the prefix, which is not what was misspelt and would allow for more slips.
      const names = [...known.keys(), ...OTHERS].map(each => each.slice(PREFIX.length))
      const meant = nearest(name.slice(PREFIX.length), names)
      problems.push(unknownVariable(name, meant && PREFIX + meant))
      continue
    }
    const rival = [...origins].find(([other]) => formatKey(variable.path).startsWith(`${other}.`))
    if (rival) {
      problems.push({ file: 'environment', key: name, found: `${rival[1]} as well`, allowed: 'one of the two' })
      continue
    }
    put(tree, variable.path, coerce(variable.key, text), origins)
    origins.set(formatKey(variable.path), name)
  }
  return { origins, problems, warnings }
}

function unknownVariable(name: string, meant: string | undefined): Problem {
  return {
    file: 'environment',
    key: name,
    found: 'an unknown variable',
    allowed: 'LOGSHIPPER_ and the path of a key, such as LOGSHIPPER_BACKEND_ENDPOINT',
    hint: meant && `did you mean ${meant}?`,
  }
}

/** The variable that was meant by one whose prefix is almost ours (LOG_SHIPPER_, logshipper_). */
function misspelt(name: string, known: ReadonlyMap<string, Variable>): string | undefined {
  for (let at = name.indexOf('_'); at !== -1; at = name.indexOf('_', at + 1)) {
    const prefix = name.slice(0, at).replaceAll('_', '')
    const meant = PREFIX + name.slice(at + 1).toUpperCase()
    if (known.has(meant) && nearest(prefix, ['LOGSHIPPER']) !== undefined) return meant
    if (prefix.length > PREFIX.length) return undefined
  }
  return undefined
}

function put(tree: Tree, path: KeyPath, value: unknown, origins: ReadonlyMap<string, string>): void {
  let at: Tree | unknown[] = tree
  for (const [index, step] of path.entries()) {
    const holder = at as Record<string | number, unknown>
    if (index === path.length - 1) {
      holder[step] = value
      return
    }
    const next = holder[step]
    const list = typeof path[index + 1] === 'number'
    const fits = list ? Array.isArray(next) : typeof next === 'object' && next !== null && !Array.isArray(next)
    // A secret is given in one way only: the environment's way replaces the file's, it does not join it.
    const way = index === path.length - 2 && (path.at(-1) === 'file' || path.at(-1) === 'env')
    const ours = [...origins.keys()].some(key => key.startsWith(`${formatKey(path.slice(0, index + 1))}.`))
    if (!fits || (way && !ours)) holder[step] = list ? [] : Object.create(null)
    at = holder[step] as Tree | unknown[]
  }
}

function upperSnake(step: string): string {
  return step.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()
}
