/** A conversion without the command around it, and whether each setting of an input is in the result or reported. */
import type { Test } from 'tap'
import { parse } from 'yaml'
import type { Peer } from '../../src/config/foreign.ts'
import { loadConfig } from '../../src/config/load.ts'
import { convert, type Load } from '../../src/convert/convert.ts'
import { inputOf } from '../../src/convert/input.ts'
import type { Remark } from '../../src/convert/remarks.ts'

export interface Result {
  readonly kind: 'converted' | 'nothing' | 'unreadable' | 'bug'
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the tree of a configuration
  readonly tree: any
  readonly remarks: readonly Remark[]
  readonly lost: readonly string[]
}

/** `others`: files that it may name. */
export function converted(peer: Peer, text: string, others: Readonly<Record<string, string>> = {}): Promise<Result> {
  return conversion(peer, text, others, loadConfig)
}

/** The same without a look at the values of the result: only what became of settings. */
export function unchecked(peer: Peer, text: string, others: Readonly<Record<string, string>> = {}): Promise<Result> {
  return conversion(peer, text, others, async () => ({ kind: 'ok' }) as Awaited<ReturnType<Load>>)
}

async function conversion(
  peer: Peer,
  text: string,
  others: Readonly<Record<string, string>>,
  load: Load,
): Promise<Result> {
  const input = await inputOf(peer, 'theirs', text, name =>
    others[name] === undefined ? undefined : { name, text: others[name] },
  )
  const result = await convert(peer, input, load)
  const remarks = 'remarks' in result ? result.remarks : []
  const written = 'text' in result ? result.text : ''
  return {
    kind: result.kind,
    text: written,
    tree: written === '' ? undefined : parse(written),
    remarks,
    lost: remarks.filter(({ kind }) => kind === 'lost').map(({ line, key }) => `${line} ${key}`),
  }
}

export const UNKNOWN = 'zzzunknown'

/**
 * Nothing is ignored silently: a setting that no shipper has, put into `where`, is in the result (where names are free) or
 * reported, by itself or with what holds it.
 */
export function reported(t: Test, { kind, text, remarks }: Result, where: string): void {
  t.ok(kind === 'converted' || kind === 'nothing' || kind === 'unreadable', `${where}: ${kind}`)
  const itself =
    text.includes(UNKNOWN) || remarks.some(({ key, why }) => key.includes(UNKNOWN) || why.includes(UNKNOWN))
  const holder = remarks.some(each => each.kind !== 'note' && isWithin(where, each.key))
  t.ok(kind === 'unreadable' || itself || holder, `${where}: what stands there is in the result or reported`)
}

function isWithin(where: string, key: string): boolean {
  return where === key || (where.startsWith(key) && /^[.[:]/.test(where.slice(key.length)))
}

/** Every map in plain data, by its key, with an unknown setting put into it: as JSON, which is YAML. */
export function* withUnknown(tree: unknown): Generator<readonly [where: string, text: string]> {
  const keys: string[] = []
  const visit = (value: unknown, key: string, put: string | undefined): unknown => {
    if (Array.isArray(value)) return value.map((each, index) => visit(each, `${key}[${index}]`, put))
    if (typeof value !== 'object' || value === null) return value
    if (put === undefined) keys.push(key)
    const entries = Object.entries(value).map(([name, each]) => [
      name,
      visit(each, key === '' ? name : `${key}.${name}`, put),
    ])
    return Object.fromEntries(put === key ? [...entries, [UNKNOWN, 'x']] : entries)
  }
  visit(tree, '', undefined)
  for (const key of keys) yield [key, JSON.stringify(visit(tree, '', key), null, 1)]
}

/** In every fixture the value of each secret. */
export const SECRET = 'hunter2-and-more'

export function keepsSecrets(t: Test, { text, remarks }: Result): void {
  t.notOk(text.includes(SECRET), 'no secret in the result')
  t.notOk(JSON.stringify(remarks).includes(SECRET), 'no secret in a remark')
}

const WRONG: readonly unknown[] = [null, [], {}, 'x', '', -1, true, ['a', { b: 1 }], { a: { b: 1 } }, '${X}']

/** Plain data in which one value after the other is of another kind than it should be. */
export function* withWrong(tree: unknown): Generator<readonly [where: string, text: string]> {
  let count = 0
  const paths: (readonly (string | number)[])[] = []
  const visit = (value: unknown, path: readonly (string | number)[]): void => {
    if (path.length > 0) paths.push(path)
    if (typeof value !== 'object' || value === null) return
    for (const [name, each] of Object.entries(value)) visit(each, [...path, name])
  }
  visit(tree, [])
  for (const path of paths) {
    const copy = structuredClone(tree) as Record<string | number, unknown>
    let holder = copy
    for (const step of path.slice(0, -1)) holder = holder[step] as Record<string | number, unknown>
    const wrong = WRONG[count++ % WRONG.length]
    holder[path.at(-1)!] = wrong
    yield [`${path.join('.')}: ${JSON.stringify(wrong)}`, JSON.stringify(copy)]
  }
}
