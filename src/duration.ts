/**
 * Durations as people write them: `500ms`, `1s`, `1m30s`, `2h`. Inside the program a duration is always milliseconds.
 *
 * A number without a unit is refused (except 0): half the world would mean seconds, the other half milliseconds.
 */
import * as z from 'zod/mini'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds, or `undefined` if the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/.test(trimmed)) return undefined
  let milliseconds = 0
  for (const [, amount, unit] of trimmed.matchAll(/([\d.]+)(ms|s|m|h)/g)) milliseconds += Number(amount) * UNITS[unit!]!
  return Math.round(milliseconds)
}

/** The shortest way to write `milliseconds` that loses nothing. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s'
  if (milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`
  if (milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`
  if (milliseconds % 1000 === 0) return `${milliseconds / 1000}s`
  return `${milliseconds}ms`
}

/** What `parseDuration` takes, for JSON Schema. */
export const DURATION_PATTERN = '^\\s*(?:0|(?:\\d{1,9}(?:\\.\\d{1,9})?(?:ms|s|m|h))+)\\s*$'

/** A duration between `min` and `max` milliseconds, both included. The message of its issue says what is allowed. */
export function duration(bounds: { min: number; max: number }) {
  const allowed = `a duration from ${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}, such as 500ms, 30s or 1m30s`
  return z
    .pipe(
      z.union([z.string(), z.number()], { error: allowed }),
      z.transform((value, context): number => {
        const milliseconds = typeof value === 'string' ? parseDuration(value) : value === 0 ? 0 : undefined
        if (milliseconds !== undefined && milliseconds >= bounds.min && milliseconds <= bounds.max) return milliseconds
        context.issues.push({ code: 'custom', message: allowed, input: value })
        return z.NEVER
      }),
    )
    .check(
      z.meta({
        pattern: DURATION_PATTERN,
        // Of numbers 0 alone has a meaning without a unit.
        minimum: 0,
        maximum: 0,
        'x-unit': 'duration',
        'x-range': `${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}`,
      }),
    )
}
