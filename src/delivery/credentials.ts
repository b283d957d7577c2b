/**
 * Secrets and certificates, read from where the configuration says they are.
 *
 * Guarantees: a secret is nowhere but in the request header it makes; a complaint of the server that repeats it is shown
 * without it; an error names the place (path or variable), never the value. What cannot be read is a problem of the moment
 * (a secret volume that is being updated): it is a value, and the next attempt reads again.
 */
import { readFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'
import type { AuthOptions, Secret, TlsOptions } from './options.ts'

export interface Credentials {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export type Loaded =
  | { readonly kind: 'loaded'; readonly credentials: Credentials }
  | { readonly kind: 'unreadable'; readonly place: string; readonly code: string }

/** Where the reading stopped; it does not leave this file. */
class Unreadable extends Error {
  readonly place: string
  readonly code: string

  constructor(place: string, code: string) {
    super(`${place} cannot be read`)
    this.place = place
    this.code = code
  }
}

export function loadCredentials(
  auth: AuthOptions | undefined,
  tls: TlsOptions | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Loaded {
  try {
    const ca = tls?.ca === undefined ? {} : { ca: file(tls.ca) }
    const pair = tls?.cert === undefined || tls.key === undefined ? {} : { cert: file(tls.cert), key: file(tls.key) }
    return { kind: 'loaded', credentials: { headers: headers(auth, env), ...ca, ...pair } }
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', place: error.place, code: error.code }
    throw error
  }
}

export function sameCredentials(one: Credentials, other: Credentials): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

export function sameTls(one: Credentials, other: Credentials): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key
}

/** A shorter value is no secret, and would be found in many a harmless word. */
const SHORTEST = 4

/**
 * `text` without the values of `headers` and of the query in `path`: a server that objects to a request may repeat them,
 * and what it says may be logged. Of Basic credentials the password alone is covered as well (RFC 7617 §2). Values that
 * come back otherwise encoded than they were sent are not recognized.
 */
export function withoutSecrets(text: string, headers: Readonly<Record<string, string>>, path: string): string {
  const values = new Set(Object.values(headers))
  for (const value of Object.values(headers)) {
    const [scheme, token] = /^(\S+) (.+)$/.exec(value)?.slice(1) ?? []
    if (token !== undefined) values.add(token)
    if (scheme !== 'Basic') continue
    const pair = Buffer.from(token!, 'base64').toString()
    values.add(pair.slice(pair.indexOf(':') + 1))
  }
  const at = path.indexOf('?')
  if (at !== -1) {
    // As it was sent, and as a server shows it that has decoded it.
    for (const part of path.slice(at + 1).split('&')) values.add(part.slice(part.indexOf('=') + 1))
    for (const value of new URLSearchParams(path.slice(at)).values()) values.add(value)
  }
  // The longest first: one may be part of another.
  const secrets = [...values].filter(({ length }) => length >= SHORTEST).sort((a, b) => b.length - a.length)
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, () => '***'), text)
}

function headers(
  auth: AuthOptions | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const read = (secret: Secret): string => {
    if (typeof secret === 'string') return secret
    if ('file' in secret) return file(secret.file).replace(/\r?\n$/, '')
    const value = env[secret.env]
    if (value === undefined) throw new Unreadable(`$${secret.env}`, 'UNSET')
    return value
  }
  if (auth?.basic) {
    const pair = `${read(auth.basic.username)}:${read(auth.basic.password)}`
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }
  if (auth?.bearer !== undefined) return { authorization: `Bearer ${read(auth.bearer)}` }
  if (auth?.apiKey) {
    const { header, prefix = '', value } = auth.apiKey
    return { [header.toLowerCase()]: prefix + read(value) }
  }
  return {}
}

function file(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Unreadable(path, codeOf(error))
  }
}
