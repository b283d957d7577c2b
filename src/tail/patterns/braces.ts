/**
 * Braces: a glob with alternatives becomes several without.
 *
 *     {a,b{c,d}}.log ─► a.log · bc.log · bd.log      {8..11} ─► 8 · 9 · 10 · 11      app?(.old) ─► app.old · app
 *
 * A pair with one alternative stands for that and, as in a shell, for itself. Guarantees: a bounded number of
 * alternatives in a bounded time, or none.
 */
import { normalize } from 'node:path'
import { endOfSet } from './segment.ts'

/** Alternatives that one glob may stand for. */
export const MAX_ALTERNATIVES = 1000

interface Group {
  readonly before: string
  readonly parts: readonly string[]
  readonly after: string
}

/** What a glob stands for, in the order in which it was written; undefined if that is too much. */
export function alternatives(text: string): string[] | undefined {
  const done: string[] = []
  const todo = [text]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const group = groupIn(next)
    if (group === undefined) done.push(normalize(next))
    else for (const part of group.parts.toReversed()) todo.push(group.before + part + group.after)
    if (done.length + todo.length > MAX_ALTERNATIVES) return undefined
  }
  return [...new Set(done)]
}

/** The first extended glob that cannot be written out as alternatives. */
export function extendedIn(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '[') at = endOfSet(text, at)
    else if ('!+*'.includes(text[at]!) && text[at + 1] === '(') return text.slice(at, at + 2)
  }
  return undefined
}

/** The first group of alternatives: `{a,b}`, `{1..3}`, `@(a|b)`, `?(a|b)`. */
function groupIn(text: string): Group | undefined {
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (sign === '[') at = endOfSet(text, at)
    else if (sign === '{') {
      const inside = insideOf(text, at, '}', ',')
      if (inside) return { before: text.slice(0, at), parts: inBraces(inside.parts), after: text.slice(inside.end + 1) }
    } else if ((sign === '@' || sign === '?') && text[at + 1] === '(') {
      const inside = insideOf(text, at + 1, ')', '|')
      if (inside === undefined) continue
      const parts = sign === '?' ? [...inside.parts, ''] : inside.parts
      return { before: text.slice(0, at), parts, after: text.slice(inside.end + 1) }
    }
  }
  return undefined
}

function inBraces(parts: readonly string[]): readonly string[] {
  const [only] = parts
  if (only === undefined || parts.length > 1) return parts
  const itself = `\\{${only}\\}`
  return rangeOf(only) ?? (only === '' ? [itself] : [only, itself])
}

/** What stands between the sign at `from` and the one that closes it, parted; undefined if none does. */
function insideOf(text: string, from: number, closing: string, parting: string) {
  const opening = text[from]
  const parts: string[] = []
  let depth = 0
  let begin = from + 1
  for (let at = from + 1; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (sign === '[') at = endOfSet(text, at)
    else if (sign === opening) depth++
    else if (sign === closing && depth-- === 0) return { parts: [...parts, text.slice(begin, at)], end: at }
    else if (sign === parting && depth === 0) {
      parts.push(text.slice(begin, at))
      begin = at + 1
    }
  }
  return undefined
}

/** `1..10`, `01..10`, `a..e`, each with a step if need be: as in a shell. */
function rangeOf(text: string): string[] | undefined {
  const [, first, last, step] = /^(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.(-?\d{1,9}))?$/.exec(text) ?? []
  if (first === undefined || last === undefined) return undefined
  const letters = /[A-Za-z]/.test(first)
  if (letters !== /[A-Za-z]/.test(last)) return undefined
  const [from, to] = letters ? [first.charCodeAt(0), last.charCodeAt(0)] : [Number(first), Number(last)]
  const by = Math.max(1, Math.abs(Number(step ?? 1))) * (from <= to ? 1 : -1)
  const width = [first, last].some(each => /^-?0\d/.test(each)) ? Math.max(first.length, last.length) : 0
  const written = (at: number): string => {
    if (letters) return String.fromCharCode(at)
    return (at < 0 ? '-' : '') + String(Math.abs(at)).padStart(at < 0 ? width - 1 : width, '0')
  }
  const all: string[] = []
  // One more than is allowed is enough to be refused.
  for (let at = from; (by > 0 ? at <= to : at >= to) && all.length <= MAX_ALTERNATIVES; at += by) all.push(written(at))
  return all
}
