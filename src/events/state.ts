/** Events of the state directory and its checkpoint. */
import { always, each, NOTHING, type Row } from './rule.ts'

const SENT_AGAIN = 'Shipping goes on; after a restart, what was acknowledged since the last checkpoint is sent again.'

export const STATE = {
  state_unlocked: {
    level: 'info',
    rule: always,
    means:
      'The state directory cannot be locked (`code`): a second logshipper in the same directory would not be noticed.',
    action: 'Make sure that each logshipper has a directory of its own.',
  },
  replay_unlocked: {
    level: 'warn',
    rule: always,
    means: 'The directory of the dead letters cannot be locked (`code`): a second replay would not be noticed.',
    action: 'Make sure that one replay runs at a time.',
  },
  state_write_failed: {
    level: 'error',
    rule: each('code'),
    means: `The checkpoint cannot be written. ${SENT_AGAIN}`,
    action: 'See to the volume of `state.dir`: full (ENOSPC), read-only (EROFS), not ours (EACCES).',
    units: { failingSeconds: 'seconds' },
  },
  state_write_hangs: {
    level: 'error',
    rule: each(),
    means: `A write of the checkpoint has not ended for half a minute. ${SENT_AGAIN}`,
    action: 'See to the volume of `state.dir`: a network mount may hang.',
    units: { seconds: 'seconds' },
  },
  state_not_saved: {
    level: 'error',
    rule: always,
    means:
      'The last checkpoint was not written: it failed (`code`), or did not end within the grace period. A restart resends what was acknowledged since the one before (`unsavedBytes`).',
    action: 'See to the volume of `state.dir`, or raise `terminationGracePeriodSeconds`.',
    units: { unsavedBytes: 'bytes' },
  },
  state_written_again: {
    level: 'info',
    rule: each(),
    means: 'The checkpoint can be written again.',
    action: NOTHING,
  },
  state_closed: {
    level: 'info',
    rule: always,
    means: 'Other users could write to the state directory; its mode was changed so that they cannot.',
    action: NOTHING,
  },
  state_replaced: {
    level: 'warn',
    rule: always,
    means: 'The state directory was removed or replaced while it was in use. The one that is there now is used.',
    action:
      'See who does that. What was acknowledged since the last checkpoint there may be sent again after a restart.',
  },
  state_within: {
    level: 'info',
    rule: always,
    means: '`state.dir` is not a private directory (`found`); the state is kept in a private one within it (`used`).',
    action: NOTHING,
  },
  state_shared: {
    level: 'warn',
    rule: always,
    means:
      'The application can rename `state.dir` away, for it lies on the volume of the logs or in a directory that others may write to.',
    action: 'Put `state.dir` on a volume that only logshipper mounts.',
  },
  state_contended: {
    level: 'error',
    rule: always,
    means: 'Another program uses the state directory now. No checkpoint is written until it has ended.',
    action: 'Give each logshipper a directory of its own; see who `by` is.',
  },
  checkpoint_entry_refused: {
    level: 'warn',
    rule: always,
    means:
      'Entries of the checkpoint are not used, for they hold what logshipper never writes or name files that no source matches. Those files are read from the start.',
    action: 'Expected after sources were removed. Otherwise see who writes to `state.dir`.',
  },
  checkpoint_fallback: {
    level: 'warn',
    rule: always,
    means:
      'The checkpoint cannot be used, and its previous copy is, which is up to a minute older: what was acknowledged between the two is sent again. Expected after a power cut.',
    action: 'See to the volume of `state.dir`, if it happens again.',
  },
  checkpoint_unusable: {
    level: 'error',
    rule: always,
    means: 'Neither the checkpoint nor its previous copy can be used. All files are read from the start: duplicates.',
    action: 'See to the volume of `state.dir`; backends that use the records’ ids store nothing twice.',
  },
  previous_unclean: {
    level: 'warn',
    rule: always,
    means:
      'The previous process did not shut down cleanly (killed, out of memory, or the power was cut: then it is sent under other ids). Unacknowledged data is sent again; `lostBytes` could not be found any more.',
    action: 'See why: `kubectl describe pod` (OOMKilled, eviction, a grace period that is too short).',
    units: { unsettledBytes: 'bytes', lostBytes: 'bytes' },
  },
} as const satisfies Readonly<Record<string, Row>>
