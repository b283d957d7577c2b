/** Sources of Vector: those of files are sources of ours, all others are lost. */

import { made } from '../made.ts'
import { refers } from '../references.ts'
import type { Setting } from '../setting.ts'
import { SourceDraft } from '../source.ts'
import { duration } from '../times.ts'

const NEEDLESS: Readonly<Record<string, string>> = {
  data_dir: 'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more',
  ignore_checkpoints: 'offsets are kept in state.dir',
  fingerprint: 'files are known by inode and content',
  fingerprinting: 'files are known by inode and content',
  fingerprint_lines: 'files are known by inode and content',
  glob_minimum_cooldown_ms: 'directories are watched',
  max_read_bytes: 'files are read in turn',
  oldest_first: 'files are read in turn',
  rotate_wait_secs: 'a rotated file is read to its end, however long that takes',
  host_key: 'records name their pod',
  file_key: 'every record names its file in the field file',
  offset_key: 'ids of records hold their offset',
  acknowledgements: 'an offset is saved when the backend has acknowledged what lies before it',
  internal_metrics: 'metrics name files where there is something to say of one',
  delay_deletion_ms: 'a deleted file is held until it is read',
}

const PODS =
  'pods are not looked for: a sidecar follows the files on the volume of its own pod, so name them under paths'

export function source(name: string, kind: string, body: Setting): SourceDraft | undefined {
  if (kind === 'kubernetes_logs') return pods(name, body)
  if (kind !== 'file')
    return body.lose(kind === 'stdin' ? 'standard input is not read: name a file' : 'only files are followed')
  const draft = new SourceDraft(name, body)
  for (const each of body.at('include')?.values() ?? []) {
    const path = each.text()
    if (path !== undefined) draft.path(path, each)
  }
  for (const each of body.at('exclude')?.values() ?? []) {
    const path = each.text()
    if (path !== undefined) draft.without(path.startsWith('/') || refers(path) ? path : `/**/${path}`, each)
  }
  for (const [key, why] of Object.entries(NEEDLESS)) body.needlessAll(why, key)
  options(draft, body)
  multiline(draft, body)
  return draft
}

function options(draft: SourceDraft, body: Setting): undefined {
  const from = body.at('read_from')
  if (from?.raw() === 'end') from.lose('files are read from their beginning, also those that are there already')
  const start = body.at('start_at_beginning')
  if (start?.flag() === false) start.lose('files are read from their beginning, also those that are there already')
  for (const key of ['ignore_older_secs', 'ignore_older']) body.loseAll('files are read however old they are', key)
  body.loseAll('files are not removed: that is for whoever writes them', 'remove_after_secs', 'remove_after')
  const size = body.at('max_line_bytes')
  const bytes = size?.number()
  if (bytes !== undefined) draft.set('maxLineBytes', bytes, size!)
  const encoding = body.find('encoding', 'charset')
  const charset = encoding?.raw()?.toLowerCase()
  if (charset !== undefined) draft.set('encoding', charset === 'iso-8859-1' ? 'latin-1' : charset, encoding!)
  const end = body.at('line_delimiter')
  const sign = end?.raw()
  if (sign === '\r') draft.set('lineEnd', 'cr', end!)
  else if (sign === '\0') draft.set('lineEnd', 'nul', end!)
  else if (sign !== undefined && sign !== '\n' && sign !== '\r\n')
    end!.lose('lines end with a line feed, a carriage return or a NUL')
  const indicator = body.at('multi_line_timeout') ?? body.at('message_start_indicator')
  indicator?.lose('multiline says how lines are joined')
}

function multiline(draft: SourceDraft, body: Setting): undefined {
  const settings = body.at('multiline')
  if (settings === undefined) return
  const [start, condition] = [settings.at('start_pattern'), settings.at('condition_pattern')]
  const [begins, holds] = [start?.raw(), condition?.raw()]
  const mode = settings.at('mode')?.raw()
  const ms = settings.at('timeout_ms')?.number()
  const flush = ms !== undefined && ms >= 10 ? { flush: duration(ms) } : {}
  if (begins === undefined || holds === undefined) return settings.lose('it takes start_pattern and condition_pattern')
  switch (mode) {
    case 'halt_before':
      return draft.set('multiline', { start: holds, ...flush }, condition!)
    case 'continue_through':
      return draft.set('multiline', { continue: holds, ...flush }, condition!)
    case 'halt_with':
      return draft.set('multiline', { start: begins, end: holds, ...flush }, condition!)
    default:
      return settings.lose('a line that goes on in the next one cannot be told by an expression of its own')
  }
}

function pods(name: string, body: Setting): SourceDraft {
  const draft = new SourceDraft(name, body)
  draft.paths.push(made('/var/log/pods/**/*.log', body))
  draft.parseAs('cri', body)
  body.note(PODS)
  for (const each of body.at('exclude_paths_glob_patterns')?.values() ?? []) draft.without(each.text() ?? '', each)
  for (const [key, why] of Object.entries(NEEDLESS)) body.needlessAll(why, key)
  for (const each of body.names()) {
    if (
      /^(extra_|namespace_|pod_|node_|self_|use_apiserver|kube_config|delay_|api_|auto_|ingestion_|timezone|max_merged|insert_)/.test(
        each,
      )
    ) {
      for (const setting of body.each(each)) setting.lose(PODS)
    }
  }
  return draft
}
