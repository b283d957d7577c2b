/** `logshipper ledger`: the account of every byte, and whether it adds up. */
import { sum, type Tally } from '../ledger.ts'
import type { LedgerLine } from '../server/shipper-view.ts'
import { ask, DEFAULT_ADMIN } from './ask.ts'
import type { Streams } from './output.ts'
import { bytes, counted, table } from './table.ts'

/** Resolves to the exit code, which is 1 if there is no answer or an account does not add up. */
export async function ledger(
  options: { admin?: string | undefined; json?: boolean | undefined },
  { out, err }: Streams,
): Promise<number> {
  const address = options.admin ?? DEFAULT_ADMIN
  const asked = await ask(address, '/ledger')
  if (asked.kind === 'failed') {
    err.write(`logshipper: ${asked.why}\n`)
    return 1
  }
  let lines: LedgerLine[]
  let text: string
  try {
    lines = JSON.parse(asked.body) as LedgerLine[]
    text = showLedger(lines)
  } catch {
    err.write(`logshipper: ${address} is not the admin port of a logshipper\n`)
    return 1
  }
  out.write(options.json ? asked.body : `${text}\n`)
  return lines.every(({ statement }) => unaccounted(statement).length === 0) ? 0 : 1
}

export function showLedger(lines: readonly LedgerLine[]): string {
  if (lines.length === 0) return 'nothing has been read yet'
  const rows = lines.map(({ source, backend, statement }) => {
    const { read, delivered, rejected, dropped, inFlight, lostBytes } = statement
    return [source, backend, read, delivered, sum(rejected), sum(dropped), inFlight, lostBytes].map(cell => {
      if (typeof cell === 'string') return cell
      return typeof cell === 'number' ? bytes(cell) : `${counted(cell.lines, 'line')}, ${bytes(cell.bytes)}`
    })
  })
  const heads = ['SOURCE', 'BACKEND', 'READ', '= DELIVERED', '+ REJECTED', '+ DROPPED', '+ IN FLIGHT', 'LOST']
  return [table(heads, rows), '', ...lines.flatMap(remarks), verdict(lines)].join('\n')
}

/** The sum of all accounts in one line, and whether each adds up. */
export function showSum(lines: readonly LedgerLine[]): string {
  const all = (of: (statement: LedgerLine['statement']) => Tally): string => {
    const total = sum(Object.fromEntries(lines.map(({ statement }, at) => [at, of(statement)])))
    return `${counted(total.lines, 'line')}, ${bytes(total.bytes)}`
  }
  const lost = lines.reduce((total, { statement }) => total + statement.lostBytes, 0)
  return [
    `ledger: read ${all(({ read }) => read)} = delivered ${all(({ delivered }) => delivered)}`,
    `rejected ${all(({ rejected }) => sum(rejected))}`,
    `dropped ${all(({ dropped }) => sum(dropped))}`,
    `in flight ${all(({ inFlight }) => inFlight)}; lost ${bytes(lost)}; ${verdict(lines)}`,
  ].join(' + ')
}

/** Why lines were rejected or dropped. */
function remarks({ source, backend, statement }: LedgerLine): string[] {
  return (['rejected', 'dropped'] as const).flatMap(kind =>
    Object.entries(statement[kind]).map(
      ([reason, { lines, bytes: n }]) =>
        `${source} → ${backend}: ${kind} ${counted(lines, 'line')}, ${bytes(n)}: ${reason}`,
    ),
  )
}

function verdict(lines: readonly LedgerLine[]): string {
  const wrong = lines.flatMap(({ source, backend, statement }) =>
    unaccounted(statement).map(what => `${source} → ${backend}: ${what} unaccounted for`),
  )
  return wrong.length === 0 ? 'it adds up' : `it does not add up: ${wrong.join('; ')}`
}

/** What was read and is found nowhere, or is found and was never read. */
function unaccounted({ read, delivered, rejected, dropped, inFlight }: LedgerLine['statement']): string[] {
  return (['lines', 'bytes'] as const).flatMap((unit: keyof Tally) => {
    const found = delivered[unit] + sum(rejected)[unit] + sum(dropped)[unit] + inFlight[unit]
    return found === read[unit] ? [] : [counted(read[unit] - found, unit.slice(0, -1))]
  })
}
