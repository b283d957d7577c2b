/**
 * Folds bytes into fewer with the same CRC-32, so that little is left to compute byte by byte.
 *
 * Bytes are a polynomial over GF(2), and their CRC is its remainder by the polynomial of RFC 1952 §8. With y = x^128,
 * one step of 16 bytes, that polynomial divides y^300 + y^155 + y^117 + y^89 + 1. So the remainder stays the same if 16
 * bytes are taken away and added (which is exclusive or) 145, 183, 211 and 300 steps further on:
 *
 *     step    0       145    183    211       300
 *             v ─────► + v    + v    + v ─────► + v
 *
 * Done to all steps but the last 300, this leaves 4800 bytes, and no step has to wait for the one before it.
 */
import { FOLDED } from './layout'

const STEP: usize = 16
/** What is left, besides the bytes that make no whole step. */
export const LEFT: usize = 300 * STEP

/**
 * Folds [from, to), which must be longer than `LEFT`; `state` is the register of the CRC before its first byte. Returns
 * the address of what is left: `LEFT` bytes and those that make no whole step, to be begun with a register of zeros.
 */
export function fold(from: usize, to: usize, state: u32): usize {
  memory.fill(FOLDED, 0, LEFT) // what the first steps get from before them
  const spare = (to - from) % STEP
  const kept = to - spare - LEFT
  let at = from
  let out = FOLDED + LEFT
  let register = i32x4(state, 0, 0, 0)
  for (; at < kept; at += STEP, out += STEP) {
    const near = v128.xor(v128.load(out - 145 * STEP), v128.load(out - 183 * STEP))
    const far = v128.xor(v128.load(out - 211 * STEP), v128.load(out - 300 * STEP))
    v128.store(out, v128.xor(v128.xor(v128.load(at), register), v128.xor(near, far)))
    register = i32x4(0, 0, 0, 0)
  }
  // The last 300 get what was taken away, but are not taken away themselves.
  const left = out
  for (let step = 0; step < 300; step++, at += STEP, out += STEP) {
    let sum = v128.xor(v128.xor(v128.load(at), register), v128.load(out - 300 * STEP))
    if (step < 145) sum = v128.xor(sum, v128.load(out - 145 * STEP))
    if (step < 183) sum = v128.xor(sum, v128.load(out - 183 * STEP))
    if (step < 211) sum = v128.xor(sum, v128.load(out - 211 * STEP))
    v128.store(out, sum)
    register = i32x4(0, 0, 0, 0)
  }
  memory.copy(out, at, spare)
  return left
}
