/**
 * What an answer to `entries:write` means.
 *
 * Guarantees: of a request whose answer names entries, each of those is judged by its own code and all others were written;
 * an entry is rejected only for what is wrong with itself (INVALID_ARGUMENT, OUT_OF_RANGE). What a permission, a quota, a
 * disabled API or a wrong project refuses is retried until it is corrected, and says what to correct.
 */
import type { Answer, BatchInfo, Item, Verdict } from './backend.ts'
import {
  codeOfNumber,
  detailOf,
  type GoogleCode,
  type GoogleError,
  googleError,
  refusalOf,
  retryDelayOf,
} from './google_answer.ts'
import { judge } from './http.ts'

const PARTIAL = 'google.logging.v2.WriteLogEntriesPartialErrors'

/** The entry is at fault, and would be refused again. */
const OF_THE_ENTRY: ReadonlySet<GoogleCode> = new Set(['invalid_argument', 'out_of_range'])

export function judgeWrite(answer: Answer, { records }: BatchInfo, project: string): Verdict {
  const { status, body } = answer
  if (status >= 200 && status < 300) return isObject(body) ? { kind: 'delivered' } : unexpected(answer)
  const error = googleError(body)
  if (error === undefined) return outside(answer)
  const items = itemsOf(error, records)
  return items ?? judgeRequest(answer, error, project)
}

/** The answer to a request that was written is an empty object. */
function isObject(body: string): boolean {
  try {
    const said: unknown = JSON.parse(body)
    return typeof said === 'object' && said !== null && !Array.isArray(said)
  } catch {
    return false
  }
}

function unexpected(answer: Answer): Verdict {
  const verdict = judge(answer)
  return verdict.kind === 'delivered' ? { kind: 'retry', reason: 'unexpected_answer', misconfigured: true } : verdict
}

/** Not Google's words: those of a proxy, or of something else at this address. It says nothing of the entries. */
function outside(answer: Answer): Verdict {
  const verdict = judge(answer)
  if (verdict.kind !== 'bisect') return verdict
  const { reason, detail } = verdict
  return { kind: 'retry', reason, ...(detail === undefined ? {} : { detail }), misconfigured: true }
}

/** Entries by their place in the request, as far as the answer names some. */
function itemsOf(error: GoogleError, records: number): Verdict | undefined {
  const errors = detailOf(error, PARTIAL)?.['logEntryErrors']
  if (typeof errors !== 'object' || errors === null) return undefined
  const rejected: Item[] = []
  const retry: Item[] = []
  for (const [key, said] of Object.entries(errors)) {
    const index = /^\d{1,9}$/.test(key) ? Number(key) : records
    if (index >= records) continue
    const { code: number, message } = (said ?? {}) as { readonly code?: unknown; readonly message?: unknown }
    const code = codeOfNumber(number)
    const item = { index, reason: code, ...(typeof message === 'string' && message !== '' ? { detail: message } : {}) }
    if (OF_THE_ENTRY.has(code)) rejected.push(item)
    else retry.push(item)
  }
  // An answer that names none, or each of them for what may pass, is about the request.
  if (rejected.length + retry.length === 0 || retry.length === records) return undefined
  const byPlace = (one: Item, other: Item): number => one.index - other.index
  return { kind: 'items', rejected: rejected.sort(byPlace), retry: retry.sort(byPlace) }
}

/** Nothing was written. */
function judgeRequest({ status, body }: Answer, error: GoogleError, project: string): Verdict {
  const { code, message } = error
  const said = message === '' ? {} : { detail: message }
  const after = retryDelayOf(error)
  const later = after === undefined ? {} : { after }
  switch (code) {
    case 'invalid_argument':
    case 'out_of_range':
      if (status === 413 || /payload size exceeds|request (?:is )?too large/i.test(message)) {
        return { kind: 'split', reason: 'request_too_large' }
      }
      // One entry can be why none was written; given to everything it is the log, the resource or the project.
      return { kind: 'bisect', reason: code, ...said }
    case 'unauthenticated':
      return { kind: 'unauthorized', reason: code, detail: body }
    case 'permission_denied':
      return judgePermission(error, body, project)
    case 'not_found':
      return { ...misconfigured(code, message), advice: `is ${project} the id of a project?` }
    case 'resource_exhausted':
    case 'unavailable':
    case 'internal':
    case 'deadline_exceeded':
    case 'aborted':
    case 'cancelled':
    case 'unknown':
    case 'data_loss':
      return { kind: 'retry', reason: code, ...later, ...said }
    case 'ok':
    case 'already_exists':
    case 'failed_precondition':
    case 'unimplemented':
      return misconfigured(code, message)
  }
}

function misconfigured(reason: string, message: string): Extract<Verdict, { kind: 'retry' }> {
  return { kind: 'retry', reason, ...(message === '' ? {} : { detail: message }), misconfigured: true }
}

/** What to do about a 403, by its reason. */
const ADVICE: Readonly<Record<string, (project: string) => string>> = {
  service_disabled: project => `enable logging.googleapis.com in project ${project}`,
  billing_disabled: project => `enable billing in project ${project}`,
  consumer_invalid: project => `${project} is no project that the identity may use`,
  consumer_suspended: project => `project ${project} is suspended`,
  user_project_denied: project => `grant serviceusage.services.use in project ${project}`,
  access_token_scope_insufficient: () =>
    'the access token lacks the scope logging.write: use Workload Identity, or give the node that scope',
  security_policy_violated: project => `a VPC Service Controls perimeter forbids writing to project ${project}`,
  location_policy_violated: project => `an organization policy forbids the location of project ${project}`,
}

function judgePermission(error: GoogleError, body: string, project: string): Verdict {
  const reason = refusalOf(error) ?? error.code
  const advice = ADVICE[reason]?.(project)
  if (advice !== undefined && reason !== 'access_token_scope_insufficient') {
    return { ...misconfigured(reason, error.message), advice }
  }
  const grant = `grant logging.logEntries.create (roles/logging.logWriter) on project ${project} to the identity`
  return { kind: 'unauthorized', reason, detail: body, advice: advice ?? grant }
}
