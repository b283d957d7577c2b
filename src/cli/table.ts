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

/** `1 line`, `2 lines`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
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

/** What some terminal obeys instead of showing it: control characters, and marks that turn the direction of text. */
const OBEYED = /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g

/** A path as one line of plain text. */
export function printable(path: string): string {
  return path.replace(OBEYED, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
