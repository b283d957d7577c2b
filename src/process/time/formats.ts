/**
 * Formats of times, as steps that the kernel follows (kernel/assembly/process/time-layout.ts).
 *
 * Guarantees: a format that is accepted says which day it is; what is wrong with one is said with its place.
 */
import { LAYOUT } from '../../kernel/module.ts'

export interface FormatFault {
  readonly found: string
  readonly allowed: string
}

interface Step {
  readonly what: number
  readonly argument: number
}

const L = LAYOUT

/** What stands behind a %. */
const DIRECTIVES: Readonly<Record<string, number>> = {
  Y: L.STEP_YEAR,
  y: L.STEP_SHORT_YEAR,
  m: L.STEP_MONTH,
  d: L.STEP_DAY,
  e: L.STEP_DAY,
  H: L.STEP_HOUR,
  k: L.STEP_HOUR,
  I: L.STEP_HALF_HOUR,
  l: L.STEP_HALF_HOUR,
  M: L.STEP_MINUTE,
  S: L.STEP_SECOND,
  f: L.STEP_FRACTION,
  L: L.STEP_FRACTION,
  N: L.STEP_FRACTION,
  b: L.STEP_MONTH_NAME,
  B: L.STEP_MONTH_NAME,
  h: L.STEP_MONTH_NAME,
  a: L.STEP_DAY_NAME,
  A: L.STEP_DAY_NAME,
  p: L.STEP_NOON,
  z: L.STEP_ZONE,
  Z: L.STEP_ZONE_NAME,
  j: L.STEP_YEAR_DAY,
  s: L.STEP_EPOCH,
}
/** Short for several. */
const SHORT: Readonly<Record<string, string>> = {
  T: '%H:%M:%S',
  R: '%H:%M',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  n: ' ',
  t: ' ',
}
/** Only in our own formats. */
const OWN: Readonly<Record<string, number>> = {
  '1': L.STEP_TIME_SIGN,
  '2': L.STEP_MAYBE_FRACTION,
  '3': L.STEP_MAYBE_ZONE,
  '4': L.STEP_MAYBE_SECOND,
  '5': L.STEP_DATE_SIGN,
}

/** The known ways in the order of the constants AUTO_…. */
export const KNOWN: readonly string[] = [
  '%Y%5%m%5%d%1%H:%M%4%2%3',
  '%Y%m%d%1%H%M%S%2%3',
  '%d%5%b%5%Y%1%H:%M%4%2%3',
  '%m%d %H:%M:%S%2',
  '%b %d %H:%M:%S%2',
  '%b %d, %Y %I:%M:%S %p',
  '%a %b %d %H:%M:%S%2 %Y',
]

/** Bytes that a step usually takes, for how many of them are kept. */
const WIDTH: Readonly<Record<number, number>> = {
  [L.STEP_LITERAL]: 1,
  [L.STEP_BLANK]: 1,
  [L.STEP_TIME_SIGN]: 1,
  [L.STEP_DATE_SIGN]: 1,
  [L.STEP_YEAR]: 4,
  [L.STEP_MONTH_NAME]: 3,
  [L.STEP_DAY_NAME]: 3,
  [L.STEP_YEAR_DAY]: 3,
}
const KEPT_BYTES = 16
/** From the first of these on a text changes from line to line. */
const QUICK: readonly number[] = [
  L.STEP_MINUTE,
  L.STEP_SECOND,
  L.STEP_FRACTION,
  L.STEP_EPOCH,
  L.STEP_ZONE,
  L.STEP_ZONE_NAME,
  L.STEP_MAYBE_FRACTION,
  L.STEP_MAYBE_SECOND,
  L.STEP_MAYBE_ZONE,
]
const DATED: readonly number[] = [
  L.STEP_YEAR,
  L.STEP_SHORT_YEAR,
  L.STEP_MONTH,
  L.STEP_MONTH_NAME,
  L.STEP_DAY,
  L.STEP_YEAR_DAY,
]
const MOST_STEPS = 120

/** A format as a program, or what is wrong with it. */
export function programOf(format: string): Uint8Array | FormatFault {
  const steps: Step[] = []
  const fault = stepsOf(format, steps, DIRECTIVES)
  return fault ?? faultOf(format, steps) ?? written(steps)
}

/** A program of one of the known ways. */
export function knownProgram(format: string): Uint8Array {
  const steps: Step[] = []
  stepsOf(format, steps, { ...DIRECTIVES, ...OWN })
  return written(steps)
}

/** Whether a format begins with what stands for itself: then it is looked for at the first byte of a text. */
export function beginsLiterally(format: string): boolean {
  return !format.startsWith('%') || /^%[%nt]/.test(format)
}

function stepsOf(format: string, steps: Step[], directives: Readonly<Record<string, number>>): FormatFault | undefined {
  const bytes = Buffer.from(format)
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte !== 0x25) {
      const blank = byte === 0x20 || byte === 0x09
      if (!blank) steps.push({ what: L.STEP_LITERAL, argument: byte })
      else if (steps.at(-1)?.what !== L.STEP_BLANK) steps.push({ what: L.STEP_BLANK, argument: 0 })
      continue
    }
    const letter = String.fromCharCode(bytes[++at] ?? 0)
    const short = SHORT[letter]
    const what = directives[letter]
    if (letter === '%') steps.push({ what: L.STEP_LITERAL, argument: 0x25 })
    else if (short !== undefined) stepsOf(short, steps, directives)
    else if (what !== undefined) steps.push({ what, argument: 0 })
    else {
      const found = at < bytes.length ? `the unknown %${letter}` : 'a % with nothing behind it'
      const known = [...Object.keys(DIRECTIVES), ...Object.keys(SHORT), '%'].map(each => `%${each}`).join(' ')
      return { found: `${found} in ${JSON.stringify(format)}`, allowed: known }
    }
  }
  return undefined
}

function faultOf(format: string, steps: readonly Step[]): FormatFault | undefined {
  const has = (...kinds: number[]) => steps.some(({ what }) => kinds.includes(what))
  const found = JSON.stringify(format)
  const dated = (has(L.STEP_MONTH, L.STEP_MONTH_NAME) && has(L.STEP_DAY)) || has(L.STEP_YEAR_DAY) || has(L.STEP_EPOCH)
  if (!dated) {
    const name = /%/.test(format) ? `${found}, which does not say the day` : `the unknown format ${found}`
    return { found: name, allowed: 'a name, or a format with %m or %b and %d, with %j, or with %s' }
  }
  if (has(L.STEP_HALF_HOUR) !== has(L.STEP_NOON)) {
    return { found: `${found}, with one of %I and %p`, allowed: '%I and %p together, or %H' }
  }
  if (steps.length > MOST_STEPS) return { found: `a format of ${steps.length} steps`, allowed: `at most ${MOST_STEPS}` }
  return undefined
}

function written(steps: readonly Step[]): Uint8Array {
  const quick = steps.findIndex(({ what }) => QUICK.includes(what))
  const most = quick < 0 ? steps.length : quick
  let kept = 0
  for (let width = 0; kept < most; kept++) {
    width += WIDTH[steps[kept]!.what] ?? 2
    if (width > KEPT_BYTES) break
  }
  const dated = !steps.slice(kept).some(({ what }) => DATED.includes(what))
  const program = new Uint8Array(4 + 2 * steps.length)
  program.set([steps.length, kept, Number(dated), 0])
  for (const [index, { what, argument }] of steps.entries()) program.set([what, argument], 4 + 2 * index)
  return program
}
