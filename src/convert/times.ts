/** Formats of times in the words of peers, as ours has them. What is no format of ours in the end our validator refuses. */

/** Go's names for layouts, and what other peers call the same. */
const NAMED: Readonly<Record<string, string>> = {
  RFC3339: 'rfc3339',
  RFC3339Nano: 'rfc3339',
  ISO8601: 'rfc3339',
  Unix: 'epoch_s',
  UNIX: 'epoch_s',
  UnixMs: 'epoch_ms',
  UNIX_MS: 'epoch_ms',
  UnixUs: 'epoch_us',
  UnixNs: 'epoch_ns',
  ANSIC: '%a %b %e %H:%M:%S %Y',
  UnixDate: '%a %b %e %H:%M:%S %Z %Y',
  RubyDate: '%a %b %d %H:%M:%S %z %Y',
  RFC822: '%d %b %y %H:%M %Z',
  RFC822Z: '%d %b %y %H:%M %z',
  RFC850: '%A, %d-%b-%y %H:%M:%S %Z',
  RFC1123: '%a, %d %b %Y %H:%M:%S %Z',
  RFC1123Z: '%a, %d %b %Y %H:%M:%S %z',
  Stamp: '%b %e %H:%M:%S',
  StampMilli: '%b %e %H:%M:%S.%f',
}

/** Parts of a layout, the longer ones first. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^2006/, '%Y'],
  [/^January/, '%B'],
  [/^Jan/, '%b'],
  [/^Monday/, '%A'],
  [/^Mon/, '%a'],
  [/^MST/, '%Z'],
  [/^(?:Z07:00|Z0700|Z07|-07:00|-0700|-07)/, '%z'],
  [/^\.[09]+/, '.%f'],
  [/^,[09]+/, ',%f'],
  [/^(?:PM|pm)/, '%p'],
  [/^15/, '%H'],
  [/^01/, '%m'],
  [/^02/, '%d'],
  [/^_2/, '%e'],
  [/^03/, '%I'],
  [/^04/, '%M'],
  [/^05/, '%S'],
  [/^06/, '%y'],
  [/^1(?!\d)/, '%m'],
  [/^2(?!\d)/, '%e'],
  [/^3(?!\d)/, '%l'],
]

/** A layout of Go, which is a certain time written as all are. */
export function fromGo(layout: string): string {
  const named = NAMED[layout]
  if (named !== undefined) return named
  if (/^2006-01-02[T ]15:04:05([.,][09]+)?(Z07:00|Z0700|-07:00|-0700)?$/.test(layout)) return 'rfc3339'
  let format = ''
  for (let rest = layout; rest !== ''; ) {
    const [pattern, part] = PARTS.find(([pattern]) => pattern.test(rest)) ?? []
    const taken = pattern?.exec(rest)?.[0] ?? rest[0]!
    format += part ?? (taken === '%' ? '%%' : taken)
    rest = rest.slice(taken.length)
  }
  return format
}

/** A format of strptime, or of Rust’s chrono. */
export function fromStrptime(format: string): string {
  const plain = format
    .replaceAll('%+', '%Y-%m-%dT%H:%M:%S.%f%z')
    .replaceAll(/%\.\d?f/g, '.%f')
    .replaceAll(/%\df/g, '%f')
    .replaceAll(/%:+z/g, '%z')
  if (/^%s(\.%[fLN])?$/.test(plain)) return 'epoch_s'
  // The last letter of UTC as it is written.
  if (/^(%Y-%m-%d|%F)[T ](%H:%M:%S|%T)([.,]?%[fLN])?(%z|Z|%Z)?$/.test(plain)) return 'rfc3339'
  return plain
}

/** Milliseconds or seconds as a duration of ours. */
export function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms)}ms`
}

const UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1m30s`, `500ms`, or a number of `unit`; `undefined`: it is none. */
export function milliseconds(text: string, unit: 's' | 'ms' = 's'): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text.trim())) return Number(text) * UNITS[unit]!
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text.trim()) return undefined
  return parts.reduce((sum, [, count, name]) => sum + Number(count) * UNITS[name!]!, 0)
}
