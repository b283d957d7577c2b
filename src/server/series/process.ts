/** The metrics of the volume, the configuration and the process. */
import type { VolumeHealth } from '../subject.ts'
import { counter, gauge, one, type Series } from './series.ts'

const volume = (value: (volume: VolumeHealth) => number | null) =>
  one(({ health }) => health.volume && value(health.volume))

export const PROCESS: readonly Series[] = [
  gauge('files', 'Open files by state.', ['state'], ({ files }) =>
    Object.entries(files).map(([state, count]) => [{ state }, count] as const),
  ),
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
  gauge('directories', 'Directories that are looked into, and those that are watched.', ['state'], ({ health }) =>
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
    'Whether positions can be saved; 0 too when nothing is saved by configuration.',
    [],
    one(({ health }) => Number(health.state.kind === 'saved')),
  ),
  gauge(
    'watch_events',
    'Whether watch events bring looks forward; polling goes on either way.',
    [],
    one(({ health }) => Number(health.watch.mode === 'events')),
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
    'previous_unclean',
    'Whether the process before this one ended without saying so.',
    [],
    one(({ health }) => Number(health.previous.kind === 'unclean')),
  ),
  gauge(
    'previous_unsettled_bytes',
    'Bytes that it had not seen acknowledged, as far as it saved that.',
    [],
    one(({ health }) => health.previous.unsettledBytes),
  ),
  counter('config_reloads_total', 'Changes of the configuration, by what came of them.', ['result'], ({ reloads }) =>
    Object.entries(reloads).map(([result, count]) => [{ result }, count] as const),
  ),
  gauge(
    'config_valid',
    'Whether what stands in the configuration file is what runs.',
    [],
    one(({ health }) => Number(health.configuration.kind === 'current')),
  ),
  gauge('build_info', 'The version that runs.', ['version'], ({ health }) => [[{ version: health.version }, 1]]),

  gauge(
    'event_loop_delay_max_seconds',
    'Longest delay of the event loop in the last one to two minutes.',
    [],
    one(({ process }) => process.loopDelay),
  ),
  gauge(
    'memory_limit_bytes',
    'Memory that the container may have; absent without a limit.',
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
    'When the process started, since the epoch.',
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
    'File descriptors that the process may have.',
    [],
    one(({ process }) => process.maxFds),
  ),
]
