/**
 * What may be shown of an answer that did not take the line.
 *
 * The line that was sent is ours and no secret, so unlike in the log the answer can be quoted, that to refused
 * credentials too: it is often the one text that solves the case. Guarantees: nothing is quoted that shares eight bytes
 * in a row with a configured secret; an address is shown without its query and without credentials; everything is one
 * line that no terminal obeys.
 */
import type { Answer } from '../../backends/backend.ts'
import type { DeliveryOptions, Secret } from '../../delivery/options.ts'
import { Reading } from '../../delivery/transport/secrets.ts'
import type { Environment } from '../../environment.ts'

const LONGEST = 300
/** Bytes in a row. */
const SHARED = 8

/** What must not be shown. `tokens`: access tokens are in use, which only the transport knows. */
export interface Secrets {
  readonly values: readonly string[]
  readonly tokens: boolean
}

/** The secrets of a backend as they are now; `undefined` if one cannot be read. */
export function secretsOf(delivery: DeliveryOptions, endpoint: URL, env: Environment): Secrets | undefined {
  const { auth, headers = {}, proxy } = delivery
  const reading = new Reading(env)
  const login = typeof proxy === 'object' ? proxy.auth : undefined
  const secrets: (Secret | undefined)[] = [
    ...[auth?.basic?.password, auth?.bearer, auth?.apiKey?.value, auth?.oauth2?.clientSecret, login?.password],
    ...[auth?.aws?.secretAccessKey, auth?.aws?.sessionToken, auth?.azure?.clientSecret],
    ...Object.values(headers),
    ...endpoint.searchParams.values(),
  ]
  try {
    const values = secrets.flatMap(secret => (secret === undefined ? [] : [reading.secret(secret)]))
    const issued = [auth?.oauth2, auth?.aws, auth?.google, auth?.azure]
    return { values, tokens: issued.some(each => each !== undefined) }
  } catch {
    return undefined
  }
}

/** What an answer says. Of a web page that is its title. */
export function wordsOf({ status, headers, body }: Answer): string | undefined {
  // A success's words are the judge's to read: the transport has not taken secrets out of them.
  if (status < 300) return undefined
  const page = /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
  return page ? /<title>([^<]*)<\/title>/i.exec(body)?.[1] : body
}

/** `words` as one line, if they may be shown. */
export function showable(words: string | undefined, secrets: Secrets | undefined): string | undefined {
  if (words === undefined || secrets === undefined) return undefined
  const line = oneLine(words)
  if (line === '' || secrets.values.some(secret => shares(words, secret))) return undefined
  // The transport takes out whole access tokens: this may be a part of one.
  if (secrets.tokens && /[\w~+/.-]{20,}/.test(words)) return undefined
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`
}

/** Where a redirect leads. */
export function locationOf({ headers }: Answer, from: URL): string | undefined {
  const { location } = headers
  const url = location === undefined ? null : URL.parse(location, from)
  return url === null ? undefined : addressOf(url)
}

export function addressOf({ origin, protocol, host, pathname, search }: URL): string {
  return oneLine(`${origin === 'null' ? `${protocol}//${host}` : origin}${pathname}${search === '' ? '' : '?…'}`)
}

function shares(text: string, secret: string): boolean {
  const run = Math.min(SHARED, secret.length)
  for (let at = 0; run > 3 && at + run <= secret.length; at++) {
    if (text.includes(secret.slice(at, at + run))) return true
  }
  return false
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
}
