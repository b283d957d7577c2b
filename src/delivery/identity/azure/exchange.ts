/**
 * Access tokens of Azure (Microsoft Entra ID), by what the pod has; the first that is there is used.
 *
 *     client secret        configured ─────────────────────────────────────────► token endpoint of the tenant
 *     workload identity    the pod's token in a file (AZURE_FEDERATED_TOKEN_FILE) ─► token endpoint of the tenant
 *     managed identity     the node's own, if allowed ─────────────────────────► instance metadata
 *
 * Guarantees: the pod's token and a secret's file are read for each exchange, for they are replaced in place; both go to
 * an address with https:// only. What goes wrong is a code: the AADSTS number where it says what to correct. Nothing that
 * was sent or answered is in a log line.
 */
import type { Environment } from '../../../environment.ts'
import type { AzureOptions, Secret } from '../../options.ts'
import { Reading, UnreadableError } from '../../transport/secrets.ts'
import type { Ask } from '../ask.ts'
import { failure, fieldsOf, type Granted, reading, tokenOf } from '../token-answer.ts'

type Reply = Awaited<ReturnType<Ask>>

/** Azure Monitor, in the public cloud. */
export const AZURE_MONITOR = 'https://monitor.azure.com/.default'
const AUTHORITY = 'https://login.microsoftonline.com/'
const INSTANCE = 'http://169.254.169.254/metadata/identity/oauth2/token'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** "Microsoft Entra authentication and authorization error codes": those that say what is to be corrected. */
const KNOWN = new Set([
  // No such tenant; no such application in it; none for this scope.
  ...['AADSTS90002', 'AADSTS700016', 'AADSTS500011'],
  // The secret is wrong, or has ended.
  ...['AADSTS7000215', 'AADSTS7000222'],
  // No federated credential for this issuer, subject or audience; its token has ended.
  ...['AADSTS70021', 'AADSTS700211', 'AADSTS700212', 'AADSTS700213', 'AADSTS700024'],
  // A policy forbids it.
  ...['AADSTS53003', 'AADSTS7000112'],
])

export interface AzureExchangeFields extends Partial<AzureOptions> {
  readonly ask: Ask
  readonly env?: Environment
}

/** What the pod has. */
export type AzureSource =
  | { readonly kind: 'secret'; readonly tenant: string; readonly client: string; readonly secret: Secret }
  | { readonly kind: 'federation'; readonly tenant: string; readonly client: string; readonly file: string }
  | { readonly kind: 'managed'; readonly client: string | undefined }
  /** `code` is bounded. */
  | { readonly kind: 'none'; readonly code: string }

export function azureSource(fields: AzureExchangeFields): AzureSource {
  const { env = process.env, clientSecret: secret, managedIdentity = false } = fields
  const tenant = fields.tenantId ?? (env['AZURE_TENANT_ID'] || undefined)
  const client = fields.clientId ?? (env['AZURE_CLIENT_ID'] || undefined)
  const file = fields.tokenFile ?? (env['AZURE_FEDERATED_TOKEN_FILE'] || undefined)
  if (secret !== undefined || file !== undefined) {
    if (tenant === undefined) return { kind: 'none', code: 'no_tenant' }
    if (client === undefined) return { kind: 'none', code: 'no_client' }
    if (secret !== undefined) return { kind: 'secret', tenant, client, secret }
    return { kind: 'federation', tenant, client, file: file! }
  }
  return managedIdentity ? { kind: 'managed', client } : { kind: 'none', code: 'none' }
}

/** In words, without secrets. */
export function azureSourceName(source: AzureSource): string {
  switch (source.kind) {
    case 'secret':
      return `client secret of ${source.client}`
    case 'federation':
      return `workload identity ${source.client}, ${source.file}`
    case 'managed':
      return `managed identity ${source.client ?? 'of the node'}`
    case 'none':
      return 'none'
  }
}

export class AzureExchange {
  readonly #fields: AzureExchangeFields
  readonly #env: Environment

  constructor(fields: AzureExchangeFields) {
    this.#fields = fields
    this.#env = fields.env ?? process.env
  }

  /** Where the pod has its identity, in words without secrets. */
  readonly source = (): string => azureSourceName(azureSource(this.#fields))

  /** Never rejects. */
  readonly exchange = (): Promise<Granted> =>
    reading('azure', async () => {
      const source = azureSource(this.#fields)
      const files = new Reading(this.#env)
      switch (source.kind) {
        case 'secret':
          return this.#asked(source, { client_secret: files.secret(source.secret) })
        case 'federation': {
          const assertion = files.secret({ file: source.file }).trim()
          return this.#asked(source, { client_assertion_type: ASSERTION, client_assertion: assertion })
        }
        case 'managed':
          return this.#managed(source.client)
        case 'none':
          return failure('azure', source.code)
      }
    })

  get #scope(): string {
    return this.#fields.scope ?? AZURE_MONITOR
  }

  /** The client credentials grant of the Microsoft identity platform. */
  async #asked(
    { tenant, client }: { readonly tenant: string; readonly client: string },
    proof: Readonly<Record<string, string>>,
  ): Promise<Granted> {
    const authority = this.#fields.authorityHost ?? (this.#env['AZURE_AUTHORITY_HOST'] || AUTHORITY)
    const url = URL.parse(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, authority.replace(/\/*$/, '/'))
    if (url === null) throw new UnreadableError('$AZURE_AUTHORITY_HOST', 'NO_ADDRESS')
    const form = { grant_type: 'client_credentials', client_id: client, scope: this.#scope, ...proof }
    const body = new URLSearchParams(form).toString()
    const reply = await this.#fields.ask({ url, method: 'POST', headers: FORM, body, beside: false })
    const known = knownIn(reply)
    return known === undefined ? tokenOf(reply, 'azure_token') : failure('azure_token', known)
  }

  /** "Use managed identities on a virtual machine to acquire an access token". */
  async #managed(client: string | undefined): Promise<Granted> {
    const url = new URL(INSTANCE)
    url.searchParams.set('api-version', '2018-02-01')
    url.searchParams.set('resource', this.#scope.replace(/\/\.default$/, ''))
    if (client !== undefined) url.searchParams.set('client_id', client)
    const reply = await this.#fields.ask({ url, method: 'GET', headers: { metadata: 'true' }, body: '', beside: true })
    return tokenOf(reply, 'azure_instance')
  }
}

/** The number of an error, which stands at the head of its description. */
function knownIn(reply: Reply): string | undefined {
  if (reply.kind === 'failure' || reply.answer.status < 300) return undefined
  const description = fieldsOf(reply.answer.body)['error_description']
  const code = typeof description === 'string' ? /^AADSTS\d{4,8}\b/.exec(description)?.[0] : undefined
  return code !== undefined && KNOWN.has(code) ? code : undefined
}
