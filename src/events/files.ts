/** Events of files and directories: followed, rotated, lost, refused. */
import { always, each, NOTHING, type Row, sum, within } from './rule.ts'

const PLACE = { offset: 'bytes from the start of the file', size: 'bytes' } as const

export const FILES = {
  file_opened: {
    level: 'debug',
    rule: within,
    means: 'A file is followed from its start. `inode` is the number that `ls -i` shows.',
    action: NOTHING,
    units: PLACE,
  },
  file_resumed: {
    level: 'debug',
    rule: within,
    means:
      'A file that a checkpoint or this process knows is followed on: from `offset`, the lowest that a backend has acknowledged. `generation` begins the ids of its records.',
    action: NOTHING,
    units: PLACE,
  },
  file_rotated: {
    level: 'info',
    rule: each('path'),
    means: 'A followed file was renamed (`to`) or deleted (`to` is null). It is read to its end.',
    action: NOTHING,
    units: PLACE,
  },
  file_truncated: {
    level: 'info',
    rule: each('path'),
    means:
      'A followed file was truncated, or other content was written over it. The new content is read from the start, and the old one goes on in its `copy` if there is one.',
    action:
      'With copytruncate, what is written between copy and truncation is lost by the rotation itself; prefer renaming.',
  },
  file_finished: {
    level: 'debug',
    rule: within,
    means:
      'A rotated or deleted file was read to its end and acknowledged by all backends; its file descriptor is closed.',
    action: NOTHING,
    units: PLACE,
  },
  data_lost: {
    level: 'error',
    rule: sum(['source', 'cause'], 'bytes'),
    means: 'Data loss: a file was truncated (`cause: truncated`) or deleted (`cause: gone`) before it was fully read.',
    action:
      'Keep rotated files longer; see whether a backend lags (`lag_bytes`), whether files are rotated while nothing ships, and `pin_failed`.',
    units: { bytes: 'bytes' },
  },
  data_dropped: {
    level: 'error',
    rule: sum(['source'], 'bytes'),
    means:
      'Data loss by policy: unread bytes of a deleted file were dropped, because deleted files hold more than `state.held.maxBytes`.',
    action: 'Raise `state.held.maxBytes`, or see why the backend lags.',
    units: { bytes: 'bytes' },
  },
  held_limit: {
    level: 'warn',
    rule: each(),
    means:
      'Deleted files that are not acknowledged occupy more of the volume than `state.held.maxBytes`. By configuration they are held all the same.',
    action: 'See why the backend lags; mind the volume.',
    units: { bytes: 'bytes', maxBytes: 'bytes' },
  },
  line_form: {
    level: 'warn',
    rule: each('path', 'key'),
    means: 'A file does not look like what its source says: another encoding, or another line end.',
    action: 'Set `key` of the source to `value`.',
  },
  records_unparsed: {
    level: 'warn',
    rule: always,
    means:
      'Records of a source are in none of the formats that its `parse` names; `path` is a file with one of them. They are sent as their messages, without fields, unless `parse.else` drops them. Logged once an hour at the most; `unparsed_records_total` counts them.',
    action:
      'Compare lines of the file with `parse` of the source; `logshipper test` shows what it makes of each. Where a file mixes formats, name all of them in a list.',
  },
  cardinality_limited: {
    level: 'warn',
    rule: always,
    means:
      'Values of records that become labels (Loki), or values and dates that become the name of an index (Elasticsearch), are more different than `key` of the backend allows; `path` is a file with such a record. Further ones are sent as structured metadata, or to the index of records without the values or with the date of reading. Logged once an hour at the most; `cardinality_limited_records_total` counts them.',
    action:
      'Take a value that has many forms (an id, a path) out of `labels` or `index`; it can be searched for without that. If all of them are meant, as in a backlog of many days, raise `key`.',
  },
  times_unread: {
    level: 'warn',
    rule: always,
    means:
      'Times of records of a source cannot be read, lie before 1990 or more than a day ahead; `path` is a file with one of them. The records have the time at which they were read. Logged once an hour at the most; `time_unparsed_total` counts them.',
    action:
      'Compare lines of the file with `time` of the source: a format with the day before the month, a `zone` that is missing, a clock that is wrong.',
  },
  archive_damaged: {
    level: 'warn',
    rule: each('archive'),
    means: 'A compressed rotation cannot be unpacked to its end; what it holds of a followed file is not shipped.',
    action: 'See whether the compressor was killed. Delay compression (logrotate’s `delaycompress`).',
  },
  archive_too_large: {
    level: 'error',
    rule: each('archive'),
    means:
      'A compressed rotation holds more than may ever be unpacked; what it holds of a followed file is not shipped.',
    action: 'Raise `state.unpacked.maxBytes`, or delay compression.',
  },
  archive_waiting: {
    level: 'warn',
    rule: each('archive'),
    means:
      'There is no room to unpack a compressed rotation; it is unpacked once there is. Meanwhile `/health` is `degraded`, and a drain that leaves it is incomplete.',
    action: 'Free space in `state.dir`, or raise `state.unpacked.maxBytes`.',
  },
  file_unreadable: {
    level: 'warn',
    rule: each('path'),
    means: 'Reading a followed file fails; it is retried.',
    action: 'See to the volume (I/O errors, a stale network mount).',
  },
  path_refused: {
    level: 'warn',
    rule: each('path'),
    means: 'A path matches a source and is not followed, for `reason`.',
    action: 'If it should be: set its mode or owner (`fsGroup`), or `followSymlinks` for links.',
  },
  path_doubtful: {
    level: 'warn',
    rule: always,
    means: 'A configured path is likely to mean something else than what was written.',
    action: 'Correct `sources[].paths` or `exclude`.',
  },
  path_matches_nothing: {
    level: 'info',
    rule: always,
    means: 'A configured path matches no file yet.',
    action:
      'If the application writes already, compare the path with what is there; the sentence names what comes nearest.',
  },
  directory_unreadable: {
    level: 'warn',
    rule: each('path'),
    means: 'A directory cannot be listed; it is retried at the next look.',
    action: 'Set its mode or owner (`fsGroup`).',
  },
  file_wanted_twice: {
    level: 'warn',
    rule: each('source', 'other'),
    means: 'A file matches two sources. The one that is named first gets it.',
    action: 'Make the patterns disjoint, or use `exclude`.',
  },
  file_limit: {
    level: 'warn',
    rule: each('source'),
    means: 'More files or directories match than there is memory for. Those beyond wait until others are gone.',
    action: 'Raise `memory.budget`, delete old rotations, or narrow the patterns.',
  },
  file_limit_past: {
    level: 'info',
    rule: each('source'),
    means: 'There is memory again for everything that matches.',
    action: NOTHING,
  },
  open_file_limit: {
    level: 'warn',
    rule: each(),
    means:
      'The limit of open files is reached. Descriptors of idle files are closed for a while, and the others take turns.',
    action: 'Raise the limit (`ulimit -n`), or narrow the patterns.',
  },
  pin_failed: {
    level: 'info',
    rule: each('reason'),
    means:
      'Rotated files cannot be hard-linked into the state directory. If they are deleted and the process is killed before it has sent them, that data is lost.',
    action: 'Put `state.dir` on the file system of the logs, or keep rotated files long enough.',
  },
  watch_failed: {
    level: 'warn',
    rule: each(),
    means: 'The system reports no changes of (some) directories. Polling goes on, and lines are seen a little later.',
    action: 'Raise `fs.inotify.max_user_watches` or `max_user_instances` of the node.',
  },
  watch_paused: {
    level: 'info',
    rule: each(),
    means: 'So many changes are reported that polling alone is cheaper for a while.',
    action: NOTHING,
    units: { pauseMs: 'milliseconds' },
  },
} as const satisfies Readonly<Record<string, Row>>
