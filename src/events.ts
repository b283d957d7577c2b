/**
 * Everything that the program can say of itself in its log, and how often: one row per event.
 *
 *   always   each time: a turn in the life of the process, or something that limits itself
 *   last     as the above, behind all that is still owed: the process ends
 *   each     once a minute for each subject; what was left out is counted
 *   sum      never left out: what cannot be said on its own is added up, and said within half a minute
 *
 * A subject is made of fields that say what the event is about (a backend, a source, a path), never of the sentence: so
 * one backend's outage cannot hide that of another.
 */
export type Rule =
  | { readonly kind: 'always' | 'last' }
  | { readonly kind: 'each'; readonly by: readonly string[] }
  /** `of`: the fields that are added up. */
  | { readonly kind: 'sum'; readonly by: readonly string[]; readonly of: readonly string[] }

const always: Rule = { kind: 'always' }
const each = (...by: string[]): Rule => ({ kind: 'each', by })
const sum = (by: readonly string[], ...of: string[]): Rule => ({ kind: 'sum', by, of })

export const EVENTS = {
  started: always,
  listening: always,
  draining: always,
  ended: { kind: 'last' },
  unexpected_error: each('code'),
  log_limited: always,

  config_applied: always,
  config_refused: always,
  config_valid_again: always,
  config_warning: always,
  config_not_followed: always,
  backend_removed: always,
  reload_incomplete: always,

  memory_limit_low: always,
  admin_port_unavailable: always,
  volume_filling: always,
  volume_nearly_full: always,

  backend_down: each('backend', 'reason'),
  backend_still_down: always,
  backend_recovered: each('backend'),
  backend_misconfigured: each('backend', 'reason'),
  credentials_refused: each('backend', 'reason'),
  credentials_changed: each('backend'),
  credentials_unreadable: each('backend', 'place'),
  token_refused: each('backend', 'reason'),
  proxy_used: each('backend', 'endpoint'),
  gzip_fallback: each('backend'),
  payload_too_large: each('backend'),
  delivery_unconfirmed: each('backend'),
  records_retried: each('backend', 'reason'),
  records_searched: each('backend', 'reason'),
  record_refused: each('backend', 'reason'),
  record_kept: each('backend', 'reason'),
  record_failing: each('backend', 'reason'),
  record_too_large: sum(['backend'], 'records', 'bytes'),
  answer_unreadable: each('backend', 'reason'),
  records_rejected: sum(['backend', 'reason'], 'records'),
  dead_letter_lost: sum(['backend', 'code'], 'records'),

  reading_stalled: each('backend'),
  reading_resumed: each('backend'),

  line_form: each('path', 'key'),
  data_lost: sum(['source', 'cause'], 'bytes'),
  data_dropped: sum(['source'], 'bytes'),
  file_truncated: each('path'),
  archive_damaged: each('archive'),
  archive_too_large: each('archive'),
  archive_waiting: each('archive'),
  file_unreadable: each('path'),
  path_refused: each('path'),
  directory_unreadable: each('path'),
  file_limit: each('source'),
  file_limit_past: each('source'),
  file_wanted_twice: each('source', 'other'),
  path_doubtful: always,
  path_matches_nothing: always,
  open_file_limit: each(),
  held_limit: each(),
  pin_failed: each('reason'),
  watch_failed: each(),
  watch_paused: each(),

  state_unlocked: always,
  state_write_failed: each('code'),
  state_write_hangs: each(),
  state_not_saved: always,
  state_written_again: each(),
  state_closed: always,
  state_replaced: always,
  state_within: always,
  state_shared: always,
  state_contended: always,
  checkpoint_entry_refused: always,
  checkpoint_fallback: always,
  checkpoint_unusable: always,
  previous_unclean: always,
} as const satisfies Readonly<Record<string, Rule>>

export type Event = keyof typeof EVENTS
