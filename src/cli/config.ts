/** `logshipper config`: the effective configuration, and where each value of it comes from. Secrets are not shown. */
import type { Explained } from '../config/explain.ts'
import { printable, table } from './table.ts'

/** For a terminal. */
export function explained(all: readonly Explained[]): string {
  return table(
    ['KEY', 'VALUE', 'FROM'],
    all.map(({ key, value, from }) => [key, value, from].map(printable)),
  )
}
