/**
 * The memory that a configuration asks for: how large the budget is if none is named, and whether one that is named is
 * enough. Guarantees that with what it lets through every backend can ship.
 */
import { divide, type Need, needOf, partOf, type SizingInput } from '../arena.ts'
import { createBackend } from '../backends/registry.ts'
import { NO_METADATA } from '../metadata.ts'
import { type Plans, plansFor, rowBytes } from '../process/plan.ts'
import { formatSize } from '../size.ts'
import { lineRoom, type SourceOptions } from '../tail/options.ts'
import type { BackendConfig, Config } from './config.ts'
import type { Report } from './problem.ts'
import { MOST_BUDGET } from './schema.ts'

const KIB = 1024
const MIB = 1024 * KIB
const USUAL_BUDGET = 8 * MIB

interface Demanding {
  readonly backend: BackendConfig
  readonly limits: SizingInput['backend']['limits']
  readonly need: Need
}

function demands(sources: readonly SourceOptions[], plans: Plans, backends: readonly BackendConfig[]): Demanding[] {
  return backends.map(entry => {
    const { batch, concurrency } = entry.delivery
    const backend = createBackend(entry.type, entry.own, { name: entry.name, metadata: () => NO_METADATA })
    const row = rowBytes(plansFor(plans, entry.sources, entry.routes))
    const need = needOf({ batch, concurrency, longestLine: longestLine(sources, entry), row, backend })
    return { backend: entry, limits: backend.limits, need }
  })
}

/** For all backends together, in whole MiB: each gets an equal part, so the neediest counts. */
function together(part: number, backends: number): number {
  return Math.ceil((part * backends) / MIB) * MIB
}

/** The budget of a configuration that names none. */
export function usualBudget(
  sources: readonly SourceOptions[],
  plans: Plans,
  backends: readonly BackendConfig[],
): number {
  const part = Math.max(...demands(sources, plans, backends).map(({ need }) => need.wanted))
  return Math.min(MOST_BUDGET, Math.max(USUAL_BUDGET, together(part, backends.length)))
}

/** What can never suffice is refused; what is only smaller than was asked for is warned of. */
export function checkBudget({ memory, sources, plans, backends }: Config, report: Report, warnings: string[]): void {
  const part = partOf(memory.budget, backends.length)
  const all = demands(sources, plans, backends)
  const neediest = all.reduce((most, each) => (each.need.required > most.need.required ? each : most))
  const { backend, need } = neediest
  if (need.required > part) {
    const least = together(need.required, backends.length)
    const beyond = least > MOST_BUDGET
    const line = `maxLineBytes (${formatSize(longestLine(sources, backend))})`
    const lower = `lower ${line} or batch.maxBytes (${formatSize(backend.delivery.batch.maxBytes)})`
    const more = beyond ? `, more than the ${formatSize(MOST_BUDGET)} that there may be` : ''
    report(['memory', 'budget'], {
      found: `${formatSize(memory.budget)} for ${backends.length} backend${backends.length === 1 ? '' : 's'}`,
      allowed: `at least ${formatSize(least)}: backend ${backend.name} needs ${need.required / KIB}KiB${more}`,
      hint: beyond ? `${lower}, or have fewer backends` : `raise memory.budget, or ${lower}`,
    })
    return
  }
  for (const { backend, need, limits } of all) {
    const { maxBytes, maxRecords } = backend.delivery.batch
    const say = (what: string) => warnings.push(`backend ${backend.name}: ${what}`)
    if (maxBytes > limits.payloadBytes) {
      say(`batch.maxBytes is ${formatSize(maxBytes)}, but ${backend.type} takes ${limits.payloadBytes} bytes at most`)
    }
    if (maxRecords > limits.records) {
      say(`batch.maxRecords is ${maxRecords}, but ${backend.type} takes ${limits.records} at most`)
    }
    const { full } = need.slab
    if (divide(need, part).slabs >= full.bytes) continue
    const enough = formatSize(together(full.bytes + need.payload.usual, backends.length))
    say(`batches stay smaller than batch.maxBytes (${formatSize(maxBytes)}): that takes a memory.budget of ${enough}`)
  }
}

function longestLine(all: readonly SourceOptions[], { sources }: BackendConfig): number {
  return Math.max(0, ...all.filter(source => sources.includes(source.name)).map(lineRoom))
}
