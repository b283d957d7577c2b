/** `logshipper ledger`: the account of every byte, and whether it adds up. */
import { sum } from '../ledger.ts'
import type { LedgerLine } from '../server/subject.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import { bytes, table } from './table.ts'

/** Prints to standard output; resolves to the exit code. */
export async function ledger(options: { admin?: string | undefined; json?: boolean | undefined }): Promise<number> {
  const asked = await ask(options.admin ?? DEFAULT_ADMIN, '/ledger')
  if (asked.kind === 'failed') {
    process.stderr.write(`logshipper: ${asked.why}\n`)
    return 1
  }
  process.stdout.write(options.json ? asked.body : `${showLedger(JSON.parse(asked.body) as LedgerLine[])}\n`)
  return 0
}

export function showLedger(lines: readonly LedgerLine[]): string {
  if (lines.length === 0) return 'nothing has been read yet'
  const rows = lines.map(({ source, backend, statement }) => {
    const { read, delivered, rejected, dropped, inFlight, vanishedBytes } = statement
    return [source, backend, read, delivered, sum(rejected), sum(dropped), inFlight, vanishedBytes].map(cell => {
      if (typeof cell === 'string') return cell
      return typeof cell === 'number' ? bytes(cell) : `${cell.lines} lines, ${bytes(cell.bytes)}`
    })
  })
  const heads = ['SOURCE', 'BACKEND', 'READ', '= DELIVERED', '+ REJECTED', '+ DROPPED', '+ IN FLIGHT', 'VANISHED']
  return table(heads, rows)
}
