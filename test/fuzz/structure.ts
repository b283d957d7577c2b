/** Changes a JSON document at one of its values: what stays is a document, which bytes that are changed blindly seldom are. */
import type { Mutator } from './mutate.ts'

type Container = Record<string, unknown> | unknown[]

/** What a value may be that an attacker chose, whatever should stand in its place. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, '', [], {}, [[]], [{}], { length: 1 }],
  ...[0, -1, 1, 0.5, 63, 64, 65, 1024, 1025, 2 ** 32 - 1, 2 ** 32, 2 ** 50, 2 ** 50 + 2, 2 ** 53 - 1, 2 ** 53, 1e308],
]

/** `words`: texts that mean something in the document. Bytes that are no document stay as they are. */
export function change(bytes: Buffer, mutator: Mutator, words: readonly string[]): Buffer {
  let root: unknown
  try {
    root = JSON.parse(bytes.toString())
  } catch {
    return bytes
  }
  const containers: Container[] = []
  collect(root, containers)
  for (let n = 1 + mutator.below(3); n > 0 && containers.length > 0; n--) {
    const at = mutator.pick(containers)
    if (Array.isArray(at)) changeList(at, mutator, words)
    else changeMembers(at, mutator, words)
  }
  return Buffer.from(JSON.stringify(root))
}

function collect(value: unknown, into: Container[]): void {
  if (typeof value !== 'object' || value === null) return
  into.push(value as Container)
  for (const each of Object.values(value)) collect(each, into)
}

function changeList(list: unknown[], mutator: Mutator, words: readonly string[]): void {
  const at = mutator.below(list.length + 1)
  switch (mutator.below(4)) {
    case 0:
      list.splice(at, 1)
      break
    case 1:
      list.splice(at, 0, chosen(mutator, words, list[0]))
      break
    case 2:
      // Many of them: a copy each, so that one can be changed alone.
      for (let n = mutator.below(mutator.below(10) === 0 ? 200 : 4); n > 0; n--)
        list.push(structuredClone(list[0] ?? {}))
      break
    default:
      list[Math.min(at, Math.max(0, list.length - 1))] = chosen(mutator, words, list[at])
  }
}

function changeMembers(members: Record<string, unknown>, mutator: Mutator, words: readonly string[]): void {
  const names = Object.keys(members)
  const name = names.length > 0 && mutator.below(8) > 0 ? mutator.pick(names) : mutator.pick(words)
  if (mutator.below(6) === 0) delete members[name]
  else members[name] = chosen(mutator, words, members[name])
}

function chosen(mutator: Mutator, words: readonly string[], before: unknown): unknown {
  if (typeof before === 'string' && mutator.below(2) === 0) {
    const at = mutator.below(before.length + 1)
    return before.slice(0, at) + mutator.pick(words) + before.slice(at + mutator.below(3))
  }
  if (typeof before === 'number' && mutator.below(4) === 0) return before + mutator.pick([-1, 1, 0.5, -before])
  return mutator.below(5) === 0 ? mutator.pick(words) : mutator.pick(VALUES)
}
