/** Events of the process: its life, its configuration, the machine around it. */
import { always, each, last, NOTHING, type Row, within } from './rule.ts'

export const PROCESS = {
  started: {
    level: 'info',
    rule: always,
    means: 'All files that a checkpoint names were looked for, and shipping has begun.',
    action: NOTHING,
  },
  listening: {
    level: 'info',
    rule: always,
    means: 'The probe port (`port`) and the admin port (`adminPort`) accept connections.',
    action: NOTHING,
  },
  tap_opened: {
    level: 'info',
    rule: within,
    means:
      'A client of the admin port is shown records (`logshipper tap`, or the status page): of this source and this backend, if it named one.',
    action: 'If clients on loopback must not see records, set `server.tap: false`.',
  },
  draining: {
    level: 'info',
    rule: always,
    means:
      'SIGTERM, SIGINT or SIGHUP has come: files are read to their end and sent. `mark` says whether a preStop hook had marked the beginning of the grace period.',
    action:
      'If `leftMs` is much shorter than the pod’s grace period, check that the preStop hook runs `logshipper prestop`.',
    units: { gracePeriodMs: 'milliseconds', leftMs: 'milliseconds' },
  },
  ended: {
    level: 'info',
    rule: last,
    means:
      'The process ends. `complete`: everything was delivered, rejected or dropped. `saved`: the last checkpoint was written. `left` lists what was not settled, `ledger` the whole account.',
    action:
      'If `complete` is false, what is left is still on disk; raise `terminationGracePeriodSeconds`, or see why the backend was unavailable.',
    units: { 'left[].bytes': 'bytes' },
  },
  unexpected_error: {
    level: 'error',
    rule: each('code'),
    means:
      'A bug: an error that no part expects. The process goes on, and liveness fails if the tail loop has stopped.',
    action: 'Report it with `code` and `stack`.',
  },
  log_limited: {
    level: 'warn',
    rule: always,
    means:
      'This log was over its limit of lines or bytes for a minute; `lines` were left out. Losses are never among them.',
    action: 'See which events fill the log; the same information is in the metrics and in `logshipper status`.',
    units: { bytes: 'bytes' },
  },
  log_lines_dropped: {
    level: 'warn',
    rule: always,
    means:
      'Standard error was not read for a while, and lines of this log were dropped because of that. Shipping did not wait.',
    action: 'Check the node’s log pipeline (container runtime, disk).',
  },

  config_applied: {
    level: 'info',
    rule: always,
    means: 'The configuration file has changed, is valid and is in use.',
    action: NOTHING,
  },
  config_refused: {
    level: 'error',
    rule: always,
    means: 'The configuration file has changed and cannot be used. The previous configuration stays in use.',
    action:
      'Correct what `problems` names: file, key, what was found and what is allowed. `logshipper validate` says the same.',
  },
  config_valid_again: {
    level: 'info',
    rule: always,
    means: 'The configuration file says again what is in use.',
    action: NOTHING,
  },
  config_warning: {
    level: 'warn',
    rule: always,
    means: 'The configuration is valid and probably not what was meant; the sentence says why.',
    action: 'Correct the key that the sentence names.',
  },
  config_not_followed: {
    level: 'warn',
    rule: always,
    means: 'The configuration file is mounted by itself (`subPath`). The kubelet never updates such a mount.',
    action: 'Mount the directory that holds the file, or restart the pod to apply changes.',
  },
  backend_removed: {
    level: 'warn',
    rule: always,
    means:
      'A reload has removed a backend, or a source of it. Its offsets are discarded, and `bytes` that it had not acknowledged are not sent to it.',
    action: 'If that was a mistake, put the backend back under the same name: it gets what is still on disk.',
    units: { bytes: 'bytes' },
  },
  reload_incomplete: {
    level: 'warn',
    rule: always,
    means:
      'A reload has waited a minute for data of deleted files that was in flight. What has not settled by then is lost.',
    action: 'See why the backend is slow (`logshipper status`); change the configuration while backends are available.',
  },

  memory_limit_low: {
    level: 'warn',
    rule: always,
    means: 'The container’s memory limit is below what this configuration was tested with (`least`).',
    action: 'Raise `resources.limits.memory` to `least`, or lower `memory.budget`.',
    units: { limit: 'bytes', least: 'bytes', budget: 'bytes' },
  },
  admin_port_unavailable: {
    level: 'warn',
    rule: always,
    means:
      'The admin port cannot be bound: there is no status page, and `logshipper status` and `prestop` do not work. Shipping goes on, and the port is retried every 30 s.',
    action: 'Another container of the pod uses the port: set `server.admin` to a free one.',
  },
  volume_filling: {
    level: 'warn',
    rule: always,
    means: 'The log volume has reached 80 or 90 % of `volume.sizeLimit`. The kubelet evicts the pod at 100 %.',
    action:
      'Rotate and delete earlier, raise the volume’s `sizeLimit`, or see which backend lags (`logshipper status`).',
    units: {
      bytes: 'bytes',
      limit: 'bytes',
      growthPerSecond: 'bytes per second',
      secondsLeft: 'seconds',
      percent: 'percent',
    },
  },
  volume_nearly_full: {
    level: 'warn',
    rule: always,
    means:
      'At the rate of the last minutes the log volume is full in less than ten minutes; then the kubelet evicts the pod.',
    action: 'As for `volume_filling`, now.',
    units: { bytes: 'bytes', limit: 'bytes', growthPerSecond: 'bytes per second', secondsLeft: 'seconds' },
  },
} as const satisfies Readonly<Record<string, Row>>
