/** The metrics of the volume, the configuration and the process. */
import type { FileEvents, FileStatus } from '../../progress.ts'
import type { StateHealth, VolumeHealth } from '../shipper-view.ts'
import { counter, gauge, one, type Sample, type Series, states, summary } from './series.ts'

const volume = (value: (volume: VolumeHealth) => number | null) =>
  one(({ health }) => health.volume && value(health.volume))

const files =
  (event: keyof FileEvents): Series['rows'] =>
  ({ fileEvents }) =>
    fileEvents.map(each => [{ source: each.source }, each[event]] as const)

const KINDS: readonly StateHealth['kind'][] = ['saved', 'saving', 'failing', 'memory']

export const PROCESS: readonly Series[] = [
  gauge('files', 'Open files by state.', ['state'], ({ files }) => {
    const counts: Record<FileStatus['state'], number> = { live: 0, rotated: 0, deleted: 0 }
    for (const { state } of files) counts[state]++
    return Object.entries(counts).map(([state, count]) => [{ state }, count] as const)
  }),
  counter(
    'files_opened_total',
    'Files taken up: new ones, and those taken up again at a start or a reload.',
    ['source'],
    files('opened'),
  ),
  counter(
    'files_rotated_total',
    'Files that lost the name that they were followed under, and have another one.',
    ['source'],
    files('rotated'),
  ),
  counter(
    'files_truncated_total',
    'Files that were truncated, or written over in place.',
    ['source'],
    files('truncated'),
  ),
  counter('files_deleted_total', 'Files that lost their last name while they were open.', ['source'], files('deleted')),
  gauge('refused_paths', 'Paths that match and are not followed.', ['source'], ({ health }) =>
    health.sources.map(
      ({ name, refused }) => [{ source: name }, Object.values(refused).reduce((a, b) => a + b, 0)] as const,
    ),
  ),
  gauge('waiting_files', 'Files that match and wait, because there is no memory for more.', ['source'], ({ health }) =>
    health.sources.map(({ name, waiting }) => [{ source: name }, waiting.files] as const),
  ),
  gauge(
    'waiting_directories',
    'Directories that may hold such files and wait, because there is no memory for more.',
    ['source'],
    ({ health }) => health.sources.map(({ name, waiting }) => [{ source: name }, waiting.directories] as const),
  ),
  gauge('directories', 'Directories that are polled (known), and those that are watched.', ['state'], ({ health }) =>
    Object.entries(health.directories).map(([state, count]) => [{ state }, count] as const),
  ),
  gauge(
    'held_bytes',
    'Bytes of deleted files that are kept because they are not acknowledged.',
    [],
    one(({ health }) => health.heldBytes),
  ),
  gauge(
    'state_writable',
    '1 if the checkpoint can be written; 0 also when the configuration keeps no state.',
    [],
    one(({ health }) => Number(health.state.kind === 'saved')),
  ),
  gauge(
    'checkpoint_state',
    'State of the checkpoint, 1 for the present one: saved; saving for so long that it may hang; failing; memory, by configuration.',
    ['state'],
    ({ health }) => states('state', KINDS, health.state.kind),
  ),
  gauge(
    'watch_mode',
    'How changes of files are noticed: 1 for the present mode. Files are polled in either.',
    ['mode'],
    ({ health }) => states('mode', ['events', 'polling'], health.watch.mode),
  ),
  gauge(
    'volume_bytes',
    'Bytes on the volume that holds the logs, if its limit is configured.',
    [],
    volume(({ bytes }) => bytes),
  ),
  gauge(
    'volume_limit_bytes',
    'Bytes at which the pod is evicted.',
    [],
    volume(({ limit }) => limit),
  ),
  gauge(
    'volume_seconds_left',
    'Seconds until the volume is full at the rate of the last minutes; absent while it does not grow.',
    [],
    volume(({ secondsLeft }) => secondsLeft),
  ),
  gauge(
    'last_shutdown_unclean',
    '1 if the previous process did not shut down cleanly.',
    [],
    one(({ health }) => Number(health.previous.kind === 'unclean')),
  ),
  gauge(
    'last_shutdown_unsettled_bytes',
    'Bytes that the previous process had not seen acknowledged by its last checkpoint.',
    [],
    one(({ health }) => health.previous.unsettledBytes),
  ),
  counter('config_reloads_total', 'Reloads of the configuration, by result.', ['result'], ({ reloads }) =>
    (['applied', 'refused'] as const).map(result => [{ result }, reloads[result]] as const),
  ),
  gauge(
    'config_last_reload_success_timestamp_seconds',
    'When the configuration that runs was put to use: by the last reload that was applied, or at the start.',
    [],
    one(({ reloads }) => Date.parse(reloads.appliedAt) / 1000),
  ),
  gauge(
    'config_last_reload_successful',
    '1 if the running configuration matches the file.',
    [],
    one(({ health }) => Number(health.configuration.kind === 'current')),
  ),
  gauge(
    'build_info',
    'The version that runs, the commit that it was built from, and the version of Node.',
    ['version', 'revision', 'node'],
    ({ health: { version, revision } }) => [[{ version, revision, node: process.versions.node }, 1]],
  ),

  summary(
    'event_loop_delay_seconds',
    'Delay of the event loop: quantiles of the last one to two minutes; 1 is the longest.',
    [],
    ({ process: { loopDelay } }) => [
      ...loopDelay.quantiles.map(([quantile, seconds]): Sample => [{ quantile: String(quantile) }, seconds]),
      [{}, loopDelay.sum, '_sum'],
      [{}, loopDelay.count, '_count'],
    ],
  ),
  gauge(
    'memory_limit_bytes',
    'Memory limit of the container; absent without one.',
    [],
    one(({ health }) => health.memory.limit),
  ),
  gauge(
    'anonymous_memory_bytes',
    'Resident memory that is the process’s own.',
    [],
    one(({ health }) => health.memory.anonymous),
  ),
  counter(
    'process_cpu_seconds_total',
    'CPU time of the process.',
    [],
    one(({ process }) => process.cpu),
  ),
  gauge(
    'process_start_time_seconds',
    'Start time of the process since the Unix epoch.',
    [],
    one(({ process }) => process.startedAt),
  ),
  gauge(
    'process_resident_memory_bytes',
    'Resident memory, clean pages of the executable included.',
    [],
    one(({ process }) => process.resident),
  ),
  gauge(
    'process_open_fds',
    'Open file descriptors.',
    [],
    one(({ process }) => process.fds),
  ),
  gauge(
    'process_max_fds',
    'Maximum number of open file descriptors.',
    [],
    one(({ process }) => process.maxFds),
  ),
]
