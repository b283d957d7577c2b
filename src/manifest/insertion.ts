/**
 * Puts new items and keys into the text of a manifest, and leaves every character of it where it was: comments, order,
 * quotes and line ends included.
 *
 *     text ─► nodes with their ranges ─► places ─► pieces put in, from the end on ─► parsed again, compared
 *
 * Guarantees: what comes out is the text with pieces put in and nothing taken away, and it means what the text meant with
 * the additions made; where that cannot be done in place (an alias, a merge key) it is refused with the line.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { formatKey, type KeyPath, type Problem } from '../config/problem.ts'
import { asTree, type Manifest, type PlannedPod } from './manifest.ts'

export type Addition =
  /** In front of the list at `path`, which is made if there is none. Each item is YAML in block style. */
  | { readonly kind: 'items'; readonly path: KeyPath; readonly items: readonly string[] }
  /** A key that is not there yet. Its value is YAML in block style. */
  | { readonly kind: 'key'; readonly path: KeyPath; readonly value: string }

export type Inserted =
  | { readonly kind: 'inserted'; readonly text: string }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

interface Piece {
  readonly at: number
  readonly text: string
}

/** A place that text cannot be put into. */
interface NoPlace {
  readonly path: KeyPath
  readonly found: string
}

type MapPair = Pair<Scalar, Node | null>
type Yaml = typeof import('yaml')

export async function insert(
  { file, text }: Manifest,
  additions: ReadonlyMap<PlannedPod, readonly Addition[]>,
): Promise<Inserted> {
  const yaml = await import('yaml')
  const pieces: Piece[] = []
  const problems: Problem[] = []
  const refuse = (pod: PlannedPod, path: KeyPath, found: string): void => {
    const allowed = 'written out in the pod, as kubectl kustomize or helm template print it'
    problems.push({ file, line: pod.lineOf(path), key: formatKey(pod.pathOf(path)), found, allowed })
  }
  for (const [pod, wanted] of additions) {
    for (const addition of wanted) {
      const piece = pod.node ? place(yaml, text, pod, pod.node, addition) : { path: [], found: 'an alias' }
      if ('found' in piece) refuse(pod, piece.path, piece.found)
      else pieces.push(piece)
    }
  }
  if (problems.length > 0) return { kind: 'refused', problems }
  let result = text
  for (const { at, text: piece } of inOrder(pieces).toReversed())
    result = result.slice(0, at) + piece + result.slice(at)
  if (means(yaml, text, result, additions)) return { kind: 'inserted', text: result }
  const [pod] = additions.keys()
  if (pod) refuse(pod, [], 'a text that cannot be added to in place')
  return { kind: 'refused', problems }
}

/** From the first place to the last; pieces of one place keep their order. */
function inOrder(pieces: readonly Piece[]): Piece[] {
  return pieces.toSorted((a, b) => a.at - b.at)
}

/** Where the addition goes, and as what. */
function place(yaml: Yaml, text: string, pod: PlannedPod, root: YAMLMap, addition: Addition): Piece | NoPlace {
  let holder = root
  const { path } = addition
  for (const [depth, step] of path.entries()) {
    const here = path.slice(0, depth + 1)
    const pair = holder.items.find(each => String((each.key as Scalar).value) === step) as MapPair | undefined
    const last = depth === path.length - 1
    if (pair === undefined) {
      const inherited = here.reduce<unknown>((at, name) => asTree(at)?.[name as string], { ...pod }) !== undefined
      if (inherited) return { path: here, found: 'what a merge key brings' }
      return newKey(yaml, text, pod, holder, String(step), nested(path.slice(depth + 1), addition))
    }
    const { value } = pair
    if (yaml.isAlias(value)) return { path: here, found: 'an alias' }
    if (yaml.isMap(value) && !last) holder = value as YAMLMap
    else if (yaml.isSeq(value) && last && addition.kind === 'items')
      return newItems(yaml, text, pair, value, addition.items)
    else if (isEmpty(yaml, value)) return fill(yaml, text, pod, pair, nested(path.slice(depth + 1), addition))
    else return { path: here, found: 'a value that nothing can be added to' }
  }
  return { path, found: 'nothing to add' }
}

/** `key:` with nothing behind it. */
function isEmpty(yaml: Yaml, value: Node | null): boolean {
  return value === null || (yaml.isScalar(value) && value.value === null && !value.source)
}

/** The addition as a block, inside the keys that lead to it. */
function nested(path: KeyPath, addition: Addition): string {
  const inner = addition.kind === 'key' ? addition.value : addition.items.map(asItem).join('\n')
  return path.reduceRight<string>((block, key) => underKey(String(key), block, 2), inner)
}

function asItem(block: string): string {
  return `- ${indented(block, 2).trimStart()}`
}

/** A list stands as deep as `offset` says, everything else by two. */
function underKey(key: string, block: string, offset: number): string {
  if (!block.includes('\n') && !/^- |^[\w./-]+: /.test(block)) return `${key}: ${block}`
  return `${key}:\n${indented(block, block.startsWith('- ') ? offset : 2)}`
}

function indented(block: string, by: number): string {
  return block.replace(/^(?=.)/gm, ' '.repeat(by))
}

function asFlow(yaml: Yaml, block: string): string {
  return JSON.stringify(yaml.parse(block))
}

function newKey(
  yaml: Yaml,
  text: string,
  pod: PlannedPod,
  holder: YAMLMap,
  key: string,
  block: string,
): Piece | NoPlace {
  if (holder.flow) {
    const end = holder.items.length > 0 ? ',' : ' '
    return { at: holder.range![0] + 1, text: ` ${JSON.stringify(key)}: ${asFlow(yaml, block)}${end}` }
  }
  const pairs = holder.items as unknown as MapPair[]
  const alone = pairs.filter(pair => /^ *$/.test(text.slice(lineStart(text, pair), pair.key.range![0])))
  const next = alone.find(({ key: { value } }) => value === 'containers' || value === 'spec') ?? alone[0]
  if (next === undefined) return { path: [], found: 'a map in the middle of a line' }
  const column = columnOf(text, next)
  const before = pairs[pairs.indexOf(next) - 1]
  const at = aboveComments(text, lineStart(text, next), before?.value?.range?.[1] ?? lineStart(text, next), column)
  return { at, text: `${lines(text, indented(underKey(key, block, listOffset(yaml, text, pod)), column))}` }
}

/** Comments of the same depth right above a line belong to it. */
function aboveComments(text: string, at: number, least: number, column: number): number {
  for (let above = at; above > least; ) {
    above = text.lastIndexOf('\n', above - 2) + 1
    if (above < least || !text.startsWith(`${' '.repeat(column)}#`, above)) break
    at = above
  }
  return at
}

function newItems(yaml: Yaml, text: string, pair: MapPair, list: YAMLSeq, items: readonly string[]): Piece | NoPlace {
  const [begin] = list.range!
  if (list.flow) {
    const end = list.items.length > 0 ? ',' : ' '
    return { at: begin + 1, text: ` ${items.map(item => asFlow(yaml, item)).join(', ')}${end}` }
  }
  const column = begin - (text.lastIndexOf('\n', begin - 1) + 1)
  return { at: nextLine(text, pair), text: lines(text, indented(items.map(asItem).join('\n'), column)) }
}

function fill(yaml: Yaml, text: string, pod: PlannedPod, pair: MapPair, block: string): Piece {
  const by = columnOf(text, pair) + (block.startsWith('- ') ? listOffset(yaml, text, pod) : 2)
  const at = nextLine(text, pair)
  const open = text.length > 0 && !text.slice(0, at).endsWith('\n') ? newline(text) : ''
  return { at, text: open + lines(text, indented(block, by)) }
}

/** By how much this pod's lists are deeper than their keys. */
function listOffset(yaml: Yaml, text: string, { node }: PlannedPod): number {
  const spec = node?.get('spec', true) as YAMLMap | undefined
  const pair = spec?.items.find(each => String((each.key as Scalar).value) === 'containers') as MapPair | undefined
  if (!pair || !yaml.isSeq(pair.value) || pair.value.flow) return 2
  const [begin] = pair.value.range!
  return Math.max(0, begin - (text.lastIndexOf('\n', begin - 1) + 1) - columnOf(text, pair))
}

function lineStart(text: string, { key }: MapPair): number {
  return text.lastIndexOf('\n', key.range![0] - 1) + 1
}

function columnOf(text: string, pair: MapPair): number {
  return pair.key.range![0] - lineStart(text, pair)
}

function nextLine(text: string, { key }: MapPair): number {
  const end = text.indexOf('\n', key.range![1])
  return end === -1 ? text.length : end + 1
}

const newline = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n')

function lines(text: string, block: string): string {
  return `${block.trimEnd()}\n`.replaceAll('\n', newline(text))
}

/** Whether `after` says what `before` said with the additions made. */
function means(
  yaml: Yaml,
  before: string,
  after: string,
  additions: ReadonlyMap<PlannedPod, readonly Addition[]>,
): boolean {
  const options = { prettyErrors: false, merge: true, logLevel: 'error' } as const
  const documents = yaml.parseAllDocuments(after, options)
  if (documents.some(({ errors }) => errors.length > 0)) return false
  const wanted = yaml.parseAllDocuments(before, options).map(document => structuredClone(document.toJS()) as unknown)
  for (const [pod, all] of additions) {
    for (const addition of all) add(yaml, wanted[pod.document], pod.pathOf(addition.path), addition)
  }
  return isDeepStrictEqual(
    documents.map(document => document.toJS() as unknown),
    wanted,
  )
}

function add(yaml: Yaml, into: unknown, path: KeyPath, addition: Addition): void {
  let at = into as Record<string | number, unknown>
  for (const step of path.slice(0, -1)) at = (at[step] ??= {}) as Record<string | number, unknown>
  const key = path.at(-1)!
  if (addition.kind === 'key') at[key] = yaml.parse(addition.value)
  else at[key] = [...addition.items.map(item => yaml.parse(item) as unknown), ...((at[key] as unknown[] | null) ?? [])]
}
