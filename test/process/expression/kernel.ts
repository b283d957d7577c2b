/** The kernel's matcher over a memory of its own: tables and texts are laid into it as the program would lay them. */
import { MODULE } from '../../../src/kernel/module.ts'
import { CAPTURE_ROOM, GAVE_UP, GROUPS, NO_MATCH } from '../../../src/process/expression/layout.ts'

interface Exports {
  longest(table: number, at: number, end: number, begin: number): number
  accepts(table: number, at: number, end: number): number
  readonly rule: WebAssembly.Global
  allow(bytes: number): void
  search(program: number, at: number, to: number, begin: number): number
  readonly matchEnd: WebAssembly.Global
  capture(program: number, from: number, to: number, out: number): number
}

const PAGES = 64
const TABLE = 0x10000
const TEXT = 0x200000
const OUT = 0x100000
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')), { env: { memory } })
export const exports = instance.exports as unknown as Exports
export const bytes = Buffer.from(memory.buffer)

/** Lays a table down, at an address that is no round one, and returns the address. */
export function layTable(table: Uint8Array, at = TABLE + 6): number {
  bytes.set(table, at)
  return at
}

/** Lays a text down between bytes that no tested text has around it, and returns its address. */
export function layText(text: Uint8Array, shift = 0): number {
  const at = TEXT + shift
  bytes.fill(0x61, at - 16, at + text.length + 16)
  bytes.set(text, at)
  return at
}

/** The spans of the groups of a program in a text that lies at `start`, or undefined if there is no match. */
export function captured(
  program: number,
  start: number,
  length: number,
): (readonly [number, number] | null)[] | undefined {
  bytes.fill(0xa5, OUT - 16, OUT + CAPTURE_ROOM + 16)
  if (exports.capture(program, start, start + length, OUT) === 0) return undefined
  for (const at of [OUT - 1, OUT + CAPTURE_ROOM])
    if (bytes[at] !== 0xa5) throw new Error('something else is overwritten')
  const groups = bytes.readUInt16LE(program + GROUPS)
  return Array.from({ length: groups }, (_, group) => {
    const [from, to] = [bytes.readUInt32LE(OUT + 8 * group), bytes.readUInt32LE(OUT + 8 * group + 4)]
    return from === 0xffffffff ? null : ([from - start, to - start] as const)
  })
}

/** Where the first match of a program in a text that lies at `start` is, or why there is none. */
export function searched(
  program: number,
  start: number,
  length: number,
): readonly [number, number] | 'none' | 'gave up' {
  exports.allow(length)
  const at = exports.search(program, start, start + length, start)
  if (at === NO_MATCH) return 'none'
  return at === GAVE_UP ? 'gave up' : [at - start, exports.matchEnd.value - start]
}
