/**
 * Credentials of Google Cloud as its own libraries find them (Application Default Credentials), as far as a pod has them.
 *
 *     credentialsFile, GOOGLE_APPLICATION_CREDENTIALS ─► a file: service_account │ external_account
 *     none                                            ─► the metadata server
 *
 * Guarantees: the file is read for each exchange, so that one that is replaced is used; what is wrong with it is a code, and
 * nothing of it is repeated. Tokens and keys go only to addresses with https://.
 */
import type { Environment } from '../../../environment.ts'
import { type Fields, fieldsOf } from '../token-answer.ts'

/** What a file says, in the terms of an exchange. */
export type GoogleCredentials =
  | {
      readonly kind: 'key'
      readonly email: string
      readonly keyId: string | undefined
      readonly key: string
      readonly tokenUrl: URL
    }
  | {
      readonly kind: 'federation'
      /** `//iam.googleapis.com/projects/…/providers/…`. */
      readonly audience: string
      readonly subjectTokenType: string
      readonly tokenUrl: URL
      readonly impersonationUrl: URL | undefined
      /** Milliseconds. */
      readonly lifetime: number
      readonly source: TokenFile
    }

/** A file that holds the token of the pod, or an object of which `field` is the token. */
export interface TokenFile {
  readonly file: string
  readonly field: string | undefined
}

export type ReadCredentials =
  | { readonly kind: 'credentials'; readonly credentials: GoogleCredentials }
  /** `code` is bounded. */
  | { readonly kind: 'unusable'; readonly code: string }

const TOKEN_URL = 'https://oauth2.googleapis.com/token'
/** Seconds of an access token of the service account, unless the file says otherwise. */
const LIFETIME = 3600

/** The file that is configured; `undefined`: the metadata server. */
export function credentialsFile(configured: string | undefined, env: Environment): string | undefined {
  return configured ?? (env['GOOGLE_APPLICATION_CREDENTIALS'] || undefined)
}

export function readCredentials(json: string): ReadCredentials {
  const said = fieldsOf(json)
  const unusable = (code: string): ReadCredentials => ({ kind: 'unusable', code })
  switch (said['type']) {
    case 'service_account':
      return keyOf(said) ?? unusable('unusable_key_file')
    case 'external_account':
      return federationOf(said) ?? unusable('unusable_federation_file')
    default:
      // Those of a person (authorized_user), of a program that would have to be run, or no such file at all.
      return unusable('unsupported_credentials_file')
  }
}

function keyOf(said: Fields): ReadCredentials | undefined {
  const { client_email: email, private_key: key, private_key_id: keyId, token_uri: tokenUri = TOKEN_URL } = said
  const tokenUrl = urlOf(tokenUri)
  if (typeof email !== 'string' || typeof key !== 'string' || tokenUrl === undefined) return undefined
  const id = typeof keyId === 'string' ? keyId : undefined
  return { kind: 'credentials', credentials: { kind: 'key', email, key, keyId: id, tokenUrl } }
}

function federationOf(said: Fields): ReadCredentials | undefined {
  const { audience, subject_token_type: subjectTokenType } = said
  const tokenUrl = urlOf(said['token_url'])
  const impersonation = said['service_account_impersonation_url']
  const impersonationUrl = impersonation === undefined ? undefined : urlOf(impersonation)
  const source = sourceOf((said['credential_source'] ?? {}) as Fields)
  if (typeof audience !== 'string' || typeof subjectTokenType !== 'string' || tokenUrl === undefined) return undefined
  if (source === undefined || (impersonation !== undefined && impersonationUrl === undefined)) return undefined
  const options = (said['service_account_impersonation'] ?? {}) as Fields
  const lifetime = 1000 * (Number(options['token_lifetime_seconds']) || LIFETIME)
  const federation = { audience, subjectTokenType, tokenUrl, impersonationUrl, lifetime, source }
  return { kind: 'credentials', credentials: { kind: 'federation', ...federation } }
}

/** `{"file": "/…", "format": {"type": "json", "subject_token_field_name": "…"}}`. */
function sourceOf(source: Fields): TokenFile | undefined {
  const { file } = source
  if (typeof file !== 'string') return undefined
  const { type = 'text', subject_token_field_name: field } = (source['format'] ?? {}) as Fields
  if (type === 'text') return { file, field: undefined }
  return type === 'json' && typeof field === 'string' ? { file, field } : undefined
}

function urlOf(value: unknown): URL | undefined {
  return typeof value === 'string' ? (URL.parse(value) ?? undefined) : undefined
}
