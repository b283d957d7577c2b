/**
 * Secrets and certificates, read from where the configuration says they are.
 *
 * Guarantees: a secret is nowhere but in the request header it makes; an error names the place (path or variable), never
 * the value. What cannot be read is a problem of the moment (a secret volume that is being updated): it is a value, and
 * the next attempt reads again.
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
  if (auth?.apiKey) return { [auth.apiKey.header.toLowerCase()]: read(auth.apiKey.value) }
  return {}
}

function file(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Unreadable(path, codeOf(error))
  }
}
