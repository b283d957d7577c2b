/** The metrics of each source and backend: the ledger, and how far behind they are. */
import { DROPS, type Statement, sum, type Tally } from '../../ledger.ts'
import type { PipelineStatus } from '../shipper-view.ts'
import { counter, gauge, type Series } from './series.ts'

const ACCOUNT = ['source', 'backend']

/** A value for each source and backend. */
const account =
  (value: (statement: Statement) => number): Series['rows'] =>
  ({ ledger }) =>
    ledger.map(({ source, backend, statement }) => [{ source, backend }, value(statement)] as const)

const lag =
  (value: (row: PipelineStatus['lag'][number]) => number): Series['rows'] =>
  ({ pipelines }) =>
    pipelines.flatMap(({ backend, lag }) => lag.map(row => [{ source: row.source, backend }, value(row)] as const))

/** By reason: those that are known beforehand, and those that came up. */
const byReason =
  (kind: 'rejected' | 'dropped', unit: keyof Tally): Series['rows'] =>
  ({ ledger, pipelines }) =>
    ledger.flatMap(({ source, backend, statement }) => {
      const pipeline = pipelines.find(each => each.backend === backend)
      const known =
        kind === 'dropped' ? [...DROPS, ...(pipeline?.dropReasons[source] ?? [])] : (pipeline?.rejectReasons ?? [])
      const tallies = new Map<string, number>(known.map(reason => [reason, 0]))
      for (const [reason, tally] of Object.entries(statement[kind])) tallies.set(reason, tally[unit])
      return [...tallies].map(([reason, value]) => [{ source, backend, reason }, value] as const)
    })

/** By why nothing was found in a record. */
const byFault =
  (records: (statement: Statement) => Readonly<Record<string, number>>): Series['rows'] =>
  ({ ledger }) =>
    ledger.flatMap(({ source, backend, statement }) =>
      Object.entries(records(statement)).map(([reason, value]) => [{ source, backend, reason }, value] as const),
    )

/** A value for each rule of redaction that a source has. */
const redaction =
  (value: (row: PipelineStatus['redactions'][number]) => number): Series['rows'] =>
  ({ pipelines }) =>
    pipelines.flatMap(({ backend, redactions }) =>
      redactions.map(row => [{ source: row.source, backend, rule: row.rule }, value(row)] as const),
    )

export const ACCOUNTS: readonly Series[] = [
  counter(
    'read_lines_total',
    'Lines read from files.',
    ACCOUNT,
    account(({ read }) => read.lines),
  ),
  counter(
    'read_bytes_total',
    'Bytes read from files.',
    ACCOUNT,
    account(({ read }) => read.bytes),
  ),
  counter(
    'delivered_lines_total',
    'Lines acknowledged by the backend.',
    ACCOUNT,
    account(({ delivered }) => delivered.lines),
  ),
  counter(
    'delivered_bytes_total',
    'Bytes of acknowledged lines.',
    ACCOUNT,
    account(({ delivered }) => delivered.bytes),
  ),
  gauge(
    'in_flight_lines',
    'Lines read and not settled.',
    ACCOUNT,
    account(({ inFlight }) => inFlight.lines),
  ),
  gauge(
    'in_flight_bytes',
    'Bytes read and not settled.',
    ACCOUNT,
    account(({ inFlight }) => inFlight.bytes),
  ),
  counter(
    'rejected_lines_total',
    'Lines rejected by the backend, by reason.',
    [...ACCOUNT, 'reason'],
    byReason('rejected', 'lines'),
  ),
  counter(
    'rejected_bytes_total',
    'Bytes of lines rejected by the backend, by reason.',
    [...ACCOUNT, 'reason'],
    byReason('rejected', 'bytes'),
  ),
  counter(
    'rejected_lines_any_reason_total',
    'Lines rejected by the backend, for any reason.',
    ACCOUNT,
    account(({ rejected }) => sum(rejected).lines),
  ),
  counter(
    'dropped_lines_total',
    'Lines dropped by a policy, by reason.',
    [...ACCOUNT, 'reason'],
    byReason('dropped', 'lines'),
  ),
  counter(
    'dropped_bytes_total',
    'Bytes dropped by a policy, by reason.',
    [...ACCOUNT, 'reason'],
    byReason('dropped', 'bytes'),
  ),
  counter(
    'lost_bytes_total',
    'Data loss: bytes truncated or deleted before they were read.',
    ACCOUNT,
    account(({ lostBytes }) => lostBytes),
  ),
  counter(
    'truncated_lines_total',
    'Lines cut to a size limit.',
    ACCOUNT,
    account(({ truncatedLines }) => truncatedLines),
  ),
  counter(
    'repaired_sequences_total',
    'Invalid UTF-8 sequences replaced.',
    ACCOUNT,
    account(({ repairedSequences }) => repairedSequences),
  ),
  counter(
    'redacted_total',
    'Secrets and personal data overwritten, by rule.',
    [...ACCOUNT, 'rule'],
    redaction(({ redacted }) => redacted),
  ),
  counter(
    'redaction_gave_up_total',
    'Rules that could not see a match to its end, where a record was cut or unfinished, and masked what there was.',
    [...ACCOUNT, 'rule'],
    redaction(({ gaveUp }) => gaveUp),
  ),
  counter(
    'unparsed_records_total',
    'Records in none of the formats that `parse` of their source names.',
    ACCOUNT,
    account(({ unparsedRecords }) => unparsedRecords),
  ),
  counter(
    'cardinality_limited_records_total',
    'Records beyond `maxLabelSets` (Loki) or `maxIndices` (Elasticsearch): sent without labels of their own, or to the default index.',
    ACCOUNT,
    account(({ unpartitionedRecords }) => unpartitionedRecords),
  ),
  counter(
    'time_unparsed_total',
    'Records in which `time` of their source found none, by `reason`; they have the time at which they were read.',
    [...ACCOUNT, 'reason'],
    byFault(({ untimedRecords }) => untimedRecords),
  ),
  counter(
    'level_unparsed_total',
    'Records in which `level` of their source found none, by `reason`.',
    [...ACCOUNT, 'reason'],
    byFault(({ unlevelledRecords }) => unlevelledRecords),
  ),
  counter(
    'files_started_total',
    'Files begun: new ones, and new content in one that was truncated or written over.',
    ACCOUNT,
    account(({ generations }) => generations),
  ),

  gauge(
    'lag_bytes',
    'Backlog: bytes on the volume that the backend has not acknowledged.',
    ACCOUNT,
    lag(({ bytes }) => bytes),
  ),
  gauge(
    'lag_seconds',
    'Age of the first byte on the volume that is not acknowledged, an estimate; 0 when all are.',
    ACCOUNT,
    lag(({ seconds }) => seconds),
  ),
  gauge(
    'in_flight_seconds',
    'How long ago the oldest line in flight was read.',
    ACCOUNT,
    lag(({ inFlightSeconds }) => inFlightSeconds),
  ),
]
