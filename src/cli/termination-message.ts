/**
 * The termination message that `kubectl describe pod` shows.
 *
 * Kubernetes gives a container 4096 bytes in a file (Pod `terminationMessagePath`); what is worst stands first, and
 * what does not fit is cut with a count of what was left out. A message that cannot be written harms nothing.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { sum } from '../ledger.ts'
import type { LedgerLine } from '../server/shipper-view.ts'
import type { Drained, LastSave } from '../shipper.ts'
import { counted, printable } from './table.ts'

const MAX_BYTES = 4096

/** How the last save ended, if it did. */
type Ending = LastSave | { readonly kind: 'late' }

/** One line per source and backend, then one per file with something left, the largest first. */
export function terminationMessage(
  drained: Drained,
  ledger: readonly LedgerLine[],
  lastSave: Ending = { kind: 'saved' },
): string {
  const lines: string[] = []
  const total = drained.left.reduce((bytes, file) => bytes + file.bytes, 0)
  lines.push(
    drained.complete ? 'drained: everything was settled' : `not drained: ${counted(total, 'byte')} left on disk`,
  )
  if (lastSave.kind === 'late') {
    lines.push('the last checkpoint was not written in time: a restart resends unacknowledged data')
  }
  if (lastSave.kind === 'failed') {
    const again = counted(lastSave.unsavedBytes, 'byte')
    lines.push(`the last checkpoint was not written (${lastSave.code}): a restart resends ${again}`)
  }
  for (const { source, backend, statement } of ledger) {
    const { delivered, rejected, dropped, inFlight, lostBytes } = statement
    const parts = [
      `${source} → ${backend}: delivered ${counted(delivered.lines, 'line')}, ${counted(delivered.bytes, 'byte')}`,
    ]
    const refused = sum(rejected)
    const policy = sum(dropped)
    if (refused.lines > 0)
      parts.push(`rejected ${counted(refused.lines, 'line')} (${Object.keys(rejected).join(', ')})`)
    if (policy.bytes > 0)
      parts.push(
        `dropped ${counted(policy.lines, 'line')}, ${counted(policy.bytes, 'byte')} (${Object.keys(dropped).join(', ')})`,
      )
    if (inFlight.lines > 0) parts.push(`in flight ${counted(inFlight.lines, 'line')}`)
    if (lostBytes > 0) parts.push(`lost ${counted(lostBytes, 'byte')}`)
    lines.push(parts.join('; '))
  }
  const files = [...drained.left].sort((a, b) => b.bytes - a.bytes)
  for (const { source, path, backend, bytes } of files) {
    lines.push(`left: ${counted(bytes, 'byte')} of ${printable(path).slice(0, 300)} (${source} → ${backend})`)
  }
  return fit(lines)
}

/** Writes the message if the container has a place for it. Returns whether it was written. */
export function writeTerminationMessage(path: string, message: string): boolean {
  try {
    // Only where the runtime has put the file: outside a container nothing is left behind.
    if (!existsSync(path)) return false
    writeFileSync(path, message)
    return true
  } catch {
    return false
  }
}

function fit(lines: readonly string[]): string {
  let text = ''
  for (const [at, line] of lines.entries()) {
    const rest = `… and ${lines.length - at} more\n`
    if (Buffer.byteLength(`${text}${line}\n${rest}`) > MAX_BYTES) return text + rest
    text += `${line}\n`
  }
  return text
}
