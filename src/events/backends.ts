/** Events of backends: outages, credentials, records that are refused, memory of a pipeline. */
import { always, each, NOTHING, type Row, sum } from './rule.ts'

const OUTLOOK = {
  downSeconds: 'seconds',
  nextAttemptSeconds: 'seconds',
  backlogBytes: 'bytes',
} as const
const KEPT_ON_DISK = 'Nothing is lost as long as the files stay on the volume.'

export const BACKENDS = {
  backend_down: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means: `The backend is unavailable: it cannot be reached, or answers with a fault of its own. Requests are retried with a growing wait. ${KEPT_ON_DISK}`,
    action:
      'See `reason` and the server’s own words in `detail`; `logshipper check` sends one line and explains the answer.',
  },
  backend_still_down: {
    level: 'warn',
    rule: always,
    means: `An outage goes on. It is logged after 1, 5 and 15 minutes and then every 15, with the number of failed attempts and the backlog. ${KEPT_ON_DISK}`,
    action: 'As for `backend_down`. Watch the volume: `backlogBytes` grow until the backend is back.',
    units: OUTLOOK,
  },
  backend_recovered: {
    level: 'info',
    rule: each('backend'),
    means: 'The backend accepts requests again; the backlog is being sent.',
    action: NOTHING,
    units: { downSeconds: 'seconds' },
  },
  backend_misconfigured: {
    level: 'error',
    rule: each('backend', 'reason'),
    means: `The backend’s answer means that address, index, token scope or the like is wrong. Requests are retried, and no record is rejected for it. ${KEPT_ON_DISK}`,
    action: 'Correct the backend’s configuration as `reason` and `detail` say; `logshipper check` explains the answer.',
  },
  backend_still_misconfigured: {
    level: 'error',
    rule: always,
    means: `The backend still answers that something about its configuration is wrong; logged as often as \`backend_still_down\`. ${KEPT_ON_DISK}`,
    action: 'As for `backend_misconfigured`.',
    units: OUTLOOK,
  },
  credentials_refused: {
    level: 'error',
    rule: each('backend', 'reason'),
    means: `The backend refuses the credentials (401 or 403). Requests are retried, and credentials that come from files are read again. ${KEPT_ON_DISK}`,
    action: 'Renew the token, password or certificate; a mounted secret takes effect without a restart.',
  },
  credentials_still_refused: {
    level: 'error',
    rule: always,
    means: `The backend still refuses the credentials; logged as often as \`backend_still_down\`. ${KEPT_ON_DISK}`,
    action: 'As for `credentials_refused`.',
    units: OUTLOOK,
  },
  credentials_changed: {
    level: 'info',
    rule: each('backend'),
    means: 'A file with credentials has changed, and the new ones are in use.',
    action: NOTHING,
  },
  credentials_unreadable: {
    level: 'error',
    rule: each('backend', 'place'),
    means:
      'A file with credentials cannot be read or used. Those that were read before stay in use; without any, requests are retried.',
    action: 'Check the file that `place` names: its mount, its mode (fsGroup), its content.',
  },
  token_refused: {
    level: 'error',
    rule: each('backend', 'reason'),
    means: 'The OAuth 2.0 token server refuses to issue an access token. Requests wait.',
    action: 'Check `oauth2.tokenUrl`, client id, client secret and scope.',
  },
  token_unavailable: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means: 'The OAuth 2.0 token server cannot be reached or fails. It is asked again, and requests wait.',
    action: 'If it lasts, see whether `tokenUrl` can be reached from the pod (DNS, network policy, proxy).',
  },
  identity_found: {
    level: 'info',
    rule: each('identity', 'source', 'service'),
    means:
      'Credentials were obtained from where the pod has an identity, which `source` tells; requests are signed with them.',
    action: NOTHING,
  },
  identity_refused: {
    level: 'error',
    rule: each('identity', 'reason'),
    means: `No credentials are issued to this pod, and asking again will not change that. With \`held\` those obtained before still hold; otherwise requests wait. ${KEPT_ON_DISK}`,
    action: 'Do what the message says; `logshipper check` tells which identity was found.',
  },
  identity_unavailable: {
    level: 'warn',
    rule: each('identity', 'reason'),
    means: `What issues credentials (STS, the Pod Identity agent, instance metadata) cannot be reached or fails. It is asked again, less and less often. With \`held\` those obtained before still hold; otherwise requests wait. ${KEPT_ON_DISK}`,
    action: 'If it lasts, do what the message says (DNS, network policy, proxy, endpoint of the VPC).',
  },
  permission_missing: {
    level: 'error',
    rule: each('identity', 'action'),
    means: `The backend knows the identity and does not let it do this. ${KEPT_ON_DISK}`,
    action: 'Grant `action` on `resource` to the role; it takes effect without a restart.',
  },
  clock_skewed: {
    level: 'warn',
    rule: each('identity'),
    means:
      'The node’s clock differs from the backend’s by so much that signatures would be refused. Requests are signed with the backend’s time; the times of records are not changed.',
    action: 'Repair time synchronization on the node.',
    units: { seconds: 'seconds' },
  },
  proxy_used: {
    level: 'info',
    rule: each('backend', 'endpoint'),
    means: 'Requests to the backend go through a proxy, as configured or as the environment says.',
    action: 'If that is not wanted, set `proxy: off` for the backend, or add the host to `NO_PROXY`.',
  },
  gzip_fallback: {
    level: 'warn',
    rule: each('backend'),
    means: 'The WebAssembly gzip cannot be used here; zlib compresses instead, at about twice the CPU time.',
    action: 'Report it with `error`. Setting `compression: zstd` or `none` avoids it.',
  },

  payload_too_large: {
    level: 'warn',
    rule: each('backend'),
    means: 'A request was too large for the backend or for a proxy in front of it; it is sent in halves.',
    action: 'Lower `batch.maxBytes`, or raise the server’s limit.',
    units: { bytes: 'bytes' },
  },
  record_too_large: {
    level: 'error',
    rule: sum(['backend'], 'records', 'bytes'),
    means: 'A single record is larger than the backend accepts. It is rejected.',
    action: 'Lower `maxLineBytes` of the source so that such lines are truncated, or raise the server’s limit.',
    units: { bytes: 'bytes' },
  },
  delivery_unconfirmed: {
    level: 'warn',
    rule: each('backend'),
    means:
      'The backend accepted a request and never confirmed that it is stored (Splunk’s indexer acknowledgment). It is retried: duplicates are possible.',
    action: 'See whether indexers are overloaded.',
  },
  answer_unreadable: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means: 'Records were accepted, in an answer that cannot be read: whether some of them were rejected is not known.',
    action: 'See what answers in the backend’s place (a proxy, another version).',
  },
  records_retried: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means: 'The backend has refused some records of a request for now; those are retried.',
    action: 'If it lasts, see `reason` and `detail`: queues or disks of the backend may be full.',
  },
  records_searched: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means:
      'A request was refused without saying for which record. Its records are sent in ever smaller groups until the one at fault is found; other files go on.',
    action: 'See `detail`. The record that is found is logged as `record_refused` or `records_rejected`.',
  },
  record_refused: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means:
      'A record was refused alone. It is retried once another one was accepted, and rejected if it is refused again.',
    action: 'See `detail`, and the line at `offset` of `file`.',
    units: { offset: 'bytes from the start of the file' },
  },
  record_kept: {
    level: 'error',
    rule: each('backend', 'reason'),
    means:
      'A record is refused again and again while no other record was accepted: the backend may be at fault. The record is kept and retried.',
    action: 'See `detail`; `logshipper check` says whether the backend accepts anything.',
    units: { offset: 'bytes from the start of the file' },
  },
  record_failing: {
    level: 'warn',
    rule: each('backend', 'reason'),
    means: 'The backend fails (5xx) for one record again and again. It is retried beside the others, which go on.',
    action: 'See `detail`, and the line at `offset` of `file`.',
    units: { offset: 'bytes from the start of the file' },
  },
  records_rejected: {
    level: 'error',
    rule: sum(['backend', 'reason'], 'records'),
    means: 'The backend has refused records for good. They are not stored there.',
    action:
      'See `reason` and `detail`. With `deadLetter` configured the records are kept: correct the cause, then `logshipper replay`.',
    units: { offset: 'bytes from the start of the file' },
  },
  dead_letter_lost: {
    level: 'error',
    rule: sum(['backend', 'code'], 'records'),
    means:
      'Rejected records could not be kept: the dead-letter file is full (`maxBytes`) or cannot be written (`code`; ENOSPC also where only the room for checkpoints is left).',
    action: 'Replay and empty the file with `logshipper replay`, raise `deadLetter.maxBytes`, or see to the volume.',
    units: { maxBytes: 'bytes' },
  },

  processing_failed: {
    level: 'error',
    rule: each('backend'),
    means:
      'A bug: what was read could not be processed (redacted, parsed, filtered). Nothing more is read for the backend, and nothing is sent that was not processed; the files keep it.',
    action:
      'Report it with `code` and `stack`, and restart. If it comes again, set `exclude` for the file that `logshipper status` shows unread, or take the source’s processing out.',
  },
  reading_stalled: {
    level: 'error',
    rule: each('backend'),
    means:
      'A bug: nothing is read for the backend, because no memory of its pipeline is free and nothing will release any.',
    action: 'Report it with the output of `logshipper status`. A restart helps.',
    units: { used: 'bytes', total: 'bytes' },
  },
  reading_resumed: {
    level: 'warn',
    rule: each('backend'),
    means: 'Memory of the pipeline is free again, and reading goes on.',
    action: 'Report the `reading_stalled` before it.',
  },
} as const satisfies Readonly<Record<string, Row>>
