/**
 * Secrets and certificates, read from where the configuration says they are, and kept out of what is said.
 *
 * Guarantees: an error names the place (path or variable), never the value; a complaint of the server that repeats a
 * secret is shown without it.
 */

import { readFileSync } from 'node:fs'
import type { Environment } from '../../environment.ts'
import { codeOf } from '../../errors.ts'
import { signatureOf } from '../../signature.ts'
import type { Secret } from '../options.ts'

/** What cannot be read or used, and where it stands. Expected: the reader catches it and goes on with what it has. */
export class UnreadableError extends Error {
  readonly place: string
  readonly code: string

  constructor(place: string, code: string) {
    super(`${place} cannot be read`)
    this.name = 'UnreadableError'
    this.place = place
    this.code = code
  }
}

/** Reads files and variables, and remembers how the files looked before they were read. */
export class Reading {
  readonly #env: Environment
  readonly #seen = new Map<string, string>()

  constructor(env: Environment) {
    this.#env = env
  }

  /** Throws `UnreadableError`. A file's last line end is not part of the secret; a secret is never empty. */
  secret(secret: Secret): string {
    if (typeof secret === 'string') return secret
    const place = 'file' in secret ? secret.file : `$${secret.env}`
    const value = 'file' in secret ? this.file(secret.file).replace(/\r?\n$/, '') : this.#env[secret.env]
    if (value === undefined) throw new UnreadableError(place, 'UNSET')
    // A file that is being written in place is empty for a moment.
    if (value === '') throw new UnreadableError(place, 'EMPTY')
    return value
  }

  /** A secret as (a part of) a header's value. Throws `UnreadableError` if it cannot be one (RFC 9110 §5.5). */
  field(secret: Secret): string {
    const value = this.secret(secret)
    if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value
    throw new UnreadableError(placeOf(secret), 'NOT_A_HEADER_VALUE')
  }

  /** Throws `UnreadableError`. */
  file(path: string): string {
    // Looked at first: whatever changes while it is being read is noticed at the next look.
    this.#seen.set(path, signatureOf(path))
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new UnreadableError(path, codeOf(error))
    }
  }

  /** Whether a file that was read looks different now. */
  get changed(): boolean {
    return [...this.#seen].some(([path, before]) => signatureOf(path) !== before)
  }
}

function placeOf(secret: Secret): string {
  if (typeof secret === 'string') return 'the configuration'
  return 'file' in secret ? secret.file : `$${secret.env}`
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
