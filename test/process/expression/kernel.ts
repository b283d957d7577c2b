/** The kernel's matcher over a memory of its own: tables and texts are laid into it as the program would lay them. */
import { MODULE } from '../../../src/kernel/module.ts'

interface Exports {
  longest(table: number, at: number, end: number, begin: number): number
  accepts(table: number, at: number, end: number): number
  readonly rule: WebAssembly.Global
}

const PAGES = 64
const TABLE = 0x10000
const TEXT = 0x200000
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES })
const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')), { env: { memory } })
export const exports = instance.exports as unknown as Exports
export const bytes = Buffer.from(memory.buffer)

/** Lays a table down, at an address that is no round one, and returns the address. */
export function layTable(table: Uint8Array, at = TABLE + 6): number {
  bytes.set(table, at)
  return at
}

/** Lays a text down between bytes that no text of ours has around it, and returns its address. */
export function layText(text: Uint8Array, shift = 0): number {
  const at = TEXT + shift
  bytes.fill(0x61, at - 16, at + text.length + 16)
  bytes.set(text, at)
  return at
}
