/** Rows of text as a table for a terminal; numbers, which are cells that begin with a digit, stand to the right. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows]
  const widths = heads.map((_, at) => Math.max(...all.map(row => row[at]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (/^\d/.test(cell) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1.5 MiB`. */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** A path as one line of plain text: control characters must not reach a terminal. */
export function printable(path: string): string {
  return [...path].some(character => character < ' ' || character === '\x7f') ? JSON.stringify(path) : path
}
