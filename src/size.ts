/**
 * Sizes as people write them: `512KiB`, `1MiB`, `10MB`, `1Mi` as Kubernetes has it, or a plain number of bytes.
 * Inside the program a size is always a whole number of bytes.
 */
import * as z from 'zod/mini'

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
}

/** Bytes, or `undefined` if the text is no size. Letters may be of either case; a fraction of a byte is cut off. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)$/i.exec(text.trim())
  const unit = match?.[2] === '' ? 1 : UNITS[match?.[2]?.toLowerCase() ?? '']
  if (!match || unit === undefined) return undefined
  const bytes = Math.floor(Number(match[1]) * unit)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest way to write `bytes` that loses nothing. */
export function formatSize(bytes: number): string {
  if (bytes > 0 && bytes % 1024 ** 3 === 0) return `${bytes / 1024 ** 3}GiB`
  if (bytes > 0 && bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`
  if (bytes > 0 && bytes % 1024 === 0) return `${bytes / 1024}KiB`
  return `${bytes}`
}

/** What `parseSize` takes, for JSON Schema. */
export const SIZE_PATTERN = '^\\s*\\d{1,15}(?:\\.\\d{1,9})?\\s*(?:[kKmMgG]?[bB]|[kKmMgG][iI][bB]?)?\\s*$'

/** A size between `min` and `max` bytes, both included. The message of its issue says what is allowed. */
export function size(bounds: { min: number; max: number }) {
  const allowed = `a size from ${formatSize(bounds.min)} to ${formatSize(bounds.max)}, such as 512KiB, 1MiB or a number of bytes`
  return z
    .pipe(
      z.union([z.string(), z.number()], { error: allowed }),
      z.transform((value, context): number => {
        const bytes = typeof value === 'string' ? parseSize(value) : value
        if (bytes !== undefined && Number.isInteger(bytes) && bytes >= bounds.min && bytes <= bounds.max) return bytes
        context.issues.push({ code: 'custom', message: allowed, input: value })
        return z.NEVER
      }),
    )
    .check(
      z.meta({
        pattern: SIZE_PATTERN,
        minimum: bounds.min,
        maximum: bounds.max,
        'x-unit': 'size',
        'x-range': `${formatSize(bounds.min)} to ${formatSize(bounds.max)}`,
      }),
    )
}
