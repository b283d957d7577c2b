/**
 * A destination: everything between a full slab and a backend, built from the configuration. A pipeline has one for as
 * long as it runs; a replay makes its own.
 */
import { divide, needOf, partOf, type SlabSizes } from './arena.ts'
import type { Backend } from './backends/backend.ts'
import { type BackendType, createBackend, entryOf, rejectReasonsOf } from './backends/registry.ts'
import { Budget } from './budget.ts'
import type { Origin } from './chunk.ts'
import type { BackendConfig, Config } from './config/config.ts'
import { Delivery } from './delivery/delivery.ts'
import { configuredIdentity } from './delivery/identity/configured.ts'
import { Identities } from './delivery/identity/identities.ts'
import { DeadLetterFile } from './delivery/outcome/deadletter.ts'
import { HttpTransport } from './delivery/transport/http.ts'
import { StreamTransport } from './delivery/transport/stream.ts'
import type { HttpRequest, Reply, Transport } from './delivery/transport/transport.ts'
import { ShipperError } from './errors.ts'
import { Kernel } from './kernel/kernel.ts'
import { type Logger, withFields } from './log.ts'
import type { Metadata } from './metadata.ts'
import { dropReasonsOf, plansFor, rowBytes, tableBytes } from './process/plan.ts'
import { Stage } from './process/stage.ts'
import { formatSize } from './size.ts'
import { StateDirectory } from './state.ts'
import { lineRoom } from './tail/options.ts'
import { type Tap, TapInlet } from './tap.ts'
import { VERSION } from './version.ts'

const USER_AGENT = `logshipper/${VERSION}`

export interface Destination {
  readonly backend: Backend
  readonly kernel: Kernel
  readonly budget: Budget
  readonly slab: SlabSizes
  /** What is done with records before they are sent. */
  readonly stage: Stage
  readonly transport: Transport
  readonly delivery: Delivery
  readonly deadLetters: DeadLetterFile | undefined
  /** Scheme, host and port of where requests go; null for standard output. */
  readonly endpoint: string | null
  /** Reasons that records are known to be refused for. */
  readonly rejectReasons: readonly string[]
  /** And reasons that records of a source are dropped for. */
  readonly dropReasons: Readonly<Record<string, readonly string[]>>
}

export interface DestinationFields {
  readonly metadata: () => Metadata
  readonly log: Logger
  /** Bytes on the volume that the backend has not acknowledged, for the log. */
  readonly behind?: () => number
  /** Our standard output has no reader any more. */
  readonly onClosed: () => void
  /** The destination that had this name before the configuration changed: what it counted goes on. */
  readonly before?: Destination | undefined
  /** Our standard output, if it is not to be opened anew. */
  readonly stream?: StreamTransport | undefined
  /** The state directory, if it is open already. */
  readonly state?: StateDirectory | undefined
  /** Those of other destinations, if identities are to be shared with them. */
  readonly identities?: Identities | undefined
  /** Where requests go instead, if not where the configuration says. */
  readonly transport?: Transport | undefined
  /** Its records were rejected before, and are kept when they are again: the first refusal of one alone is the last. */
  readonly final?: boolean
  /** Where records are shown with their verdicts. */
  readonly tap?: Tap | undefined
  readonly onRepaired?: (origin: Origin, sequences: number) => void
  readonly onTruncated?: (origin: Origin, records: number) => void
  readonly onRequestFailed?: (status: number | undefined) => void
  /** Called with every request once it has its reply. */
  readonly onReply?: (request: HttpRequest, reply: Reply) => void
}

/** Each backend has an equal part of the memory that the configuration allows. Opens no connection. */
export function createDestination(config: Config, entry: BackendConfig, fields: DestinationFields): Destination {
  const { name, own, endpoint, delivery: options } = entry
  const { metadata, onClosed, before, stream, behind, final, onRepaired, onTruncated, onRequestFailed, onReply } =
    fields
  const log = withFields(fields.log, { backend: name })
  const backend = createBackend(entry.type, own, { name, metadata })
  const sources = config.sources.filter(source => entry.sources.includes(source.name))
  const longestLine = Math.max(0, ...sources.map(lineRoom))
  const plans = plansFor(config.plans, entry.sources, entry.routes)
  const { batch, concurrency } = options
  const need = needOf({ batch, concurrency, longestLine, row: rowBytes(plans), backend })
  const kernel = kernelOf(partOf(config.memory.budget, config.backends.length), tableBytes(plans))
  const stage = new Stage(kernel, plans, undefined, before?.stage, backend.partitioning)
  const tap = fields.tap && new TapInlet(fields.tap, name, kernel.bytes)
  stage.tap = tap
  const budget = new Budget(kernel.arena, kernel.arenaBytes, divide(need, kernel.arenaBytes).payloads)
  const transport: Transport =
    fields.transport ??
    (entryOf(entry.type as BackendType).transport === 'stream'
      ? (stream?.lend() ?? new StreamTransport({ fd: 1, closed: onClosed }))
      : new HttpTransport({
          endpoint: endpoint!,
          userAgent: USER_AGENT,
          delivery: options,
          logger: log,
          identity: configuredIdentity({
            delivery: options,
            // One that no other has is this backend's.
            logger: fields.identities ? fields.log : log,
            userAgent: USER_AGENT,
            identities: fields.identities ?? new Identities(),
          }),
          answerBytes: backend.answerBytes,
          unreadAnswers: backend.judgesUnread,
        }))
  const { dir, permissions } = config.state
  const state = fields.state ?? (dir === null ? undefined : new StateDirectory(dir, log, { permissions }))
  const deadLetters =
    options.deadLetter && state !== undefined
      ? new DeadLetterFile(state, name, options.deadLetter.maxBytes, log, before?.deadLetters?.stats)
      : undefined
  const delivery = new Delivery({
    name,
    backend,
    kernel,
    budget,
    transport: onReply === undefined ? transport : overheard(transport, onReply),
    options,
    logger: log,
    behind,
    stats: before?.delivery.stats,
    final,
    tap,
    ...(onRepaired && { onRepaired }),
    ...(onTruncated && { onTruncated }),
    ...(onRequestFailed && { onRequestFailed }),
    ...(deadLetters && { onRejected: record => deadLetters.write(record) }),
  })
  const rejectReasons = [...Delivery.rejectReasons(backend), ...rejectReasonsOf(entry.type as BackendType, entry.own)]
  const origin = endpoint?.origin ?? null
  const slab = need.slab
  const dropReasons = dropReasonsOf(plans)
  const parts = { backend, kernel, budget, slab, stage, transport, delivery, deadLetters }
  return { ...parts, endpoint: origin, rejectReasons, dropReasons }
}

function kernelOf(bytes: number, tables: number): Kernel {
  try {
    return Kernel.create(bytes, tables)
  } catch (cause) {
    const message = `memory.budget: the system does not give ${formatSize(bytes)} for each backend; allowed: less`
    throw new ShipperError('ERR_START', message, { cause })
  }
}

/** The same transport, whose replies go to `onReply` too. */
function overheard(transport: Transport, onReply: NonNullable<DestinationFields['onReply']>): Transport {
  return {
    send: async request => {
      const reply = await transport.send(request)
      onReply(request, reply)
      return reply
    },
    get identity() {
      return transport.identity
    },
    reload: () => transport.reload(),
    abort: () => transport.abort(),
    close: () => transport.close(),
  }
}
