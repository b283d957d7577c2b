/**
 * The members of a JSON object, and the elements of its arrays, as stretches of bytes: what stands in them is not parsed.
 *
 * So a document of many entries is read one entry at a time, and one that was made to exhaust us (nested a million
 * deep, or full of empty objects) costs a pass over its bytes and nothing else. What is no JSON is found by the one who
 * parses the entry.
 */

/** Deeper nesting than this is refused: bytes of one entry are never parsed that deep. */
const DEEPEST = 12
/** A longer entry is refused. */
const LONGEST = 256 * 1024

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d]

/** `undefined` stands for what is too long or too deep. */
export type Member =
  | { readonly kind: 'value'; readonly bytes: Buffer | undefined }
  | { readonly kind: 'array'; readonly elements: readonly (Buffer | undefined)[] }

/**
 * The members of the object that `bytes` are, by name; undefined if they are none. Of the elements of an array the last
 * `most` are kept. `dropped`: how many were not.
 */
export function membersOf(bytes: Buffer, most: number): { members: Map<string, Member>; dropped: number } | undefined {
  if (bytes[0] !== OPEN_OBJECT || bytes.at(-1) !== CLOSE_OBJECT) return undefined
  const members = new Map<string, Member>()
  let dropped = 0
  let name: string | undefined
  let elements: (Buffer | undefined)[] | undefined
  let depth = 1
  let deepest = 0
  let from = 1
  const end = (at: number): void => {
    const entry = bytes.subarray(from, at)
    const usable = deepest <= DEEPEST && entry.length <= LONGEST
    if (elements !== undefined && depth === 2) {
      const empty = elements.length === 0 && entry.length < LONGEST && entry.toString('latin1').trim() === ''
      if (!empty) elements.push(usable ? entry : undefined)
      if (elements.length > most * 2) dropped += elements.splice(0, most).length
    } else if (name !== undefined) {
      if (elements !== undefined && elements.length > most) dropped += elements.splice(0, elements.length - most).length
      const bytes = usable ? entry : undefined
      members.set(name, elements === undefined ? { kind: 'value', bytes } : { kind: 'array', elements })
      name = undefined
      elements = undefined
    }
    deepest = 0
  }
  for (let at = 1; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE: {
        at = endOfString(bytes, at)
        break
      }
      case COLON:
        if (depth !== 1 || name !== undefined) break
        name = nameOf(bytes.subarray(from, at))
        if (name === undefined || members.has(name)) return undefined
        from = at + 1
        break
      case OPEN_ARRAY:
        if (depth === 1 && name !== undefined && elements === undefined) {
          elements = []
          from = at + 1
        }
        depth++
        deepest = Math.max(deepest, depth)
        break
      case OPEN_OBJECT:
        depth++
        deepest = Math.max(deepest, depth)
        break
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        if (elements !== undefined && depth === 2) end(at)
        depth--
        if (depth === 0) {
          end(at)
          return at === bytes.length - 1 ? { members, dropped } : undefined
        }
        break
      case COMMA:
        if (depth === 1 || (depth === 2 && elements !== undefined)) {
          end(at)
          from = at + 1
        }
    }
  }
  return undefined
}

/** Where the string that begins at `at` ends. */
function endOfString(bytes: Buffer, at: number): number {
  for (;;) {
    const end = bytes.indexOf(QUOTE, at + 1)
    if (end < 0) return bytes.length
    let escapes = 0
    while (bytes[end - 1 - escapes] === BACKSLASH) escapes++
    // Those in front of the string's own beginning do not count: it is no escape there.
    if (escapes % 2 === 0) return end
    at = end
  }
}

function nameOf(bytes: Buffer): string | undefined {
  return /^\s*"(\w{1,64})"\s*$/.exec(bytes.toString('latin1', 0, 256))?.[1]
}
