/**
 * Access tokens of Azure, from servers that were written after its public documents: token endpoint of the Microsoft identity
 * platform, instance metadata.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Question } from '../../../../src/delivery/identity/ask.ts'
import {
  AzureExchange,
  type AzureExchangeFields,
  azureSource,
  azureSourceName,
} from '../../../../src/delivery/identity/azure/exchange.ts'
import { asking, directory, formOf, type Said, serve } from '../rig.ts'

const TENANT = '11111111-1111-1111-1111-111111111111'
const CLIENT = '22222222-2222-2222-2222-222222222222'

const granted = (token: string): Said => ({
  status: 200,
  body: { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token },
})

/** What Entra says, whose description names everything. */
const refused = (error: string, description: string): Said => ({
  status: 401,
  body: { error, error_description: description, error_codes: [1], trace_id: 'x', correlation_id: 'y' },
})

const scene = (t: Test, fields: Partial<AzureExchangeFields>): AzureExchange =>
  new AzureExchange({ ask: asking(t), env: {}, ...fields })

t.test('the pod’s token is shown to its tenant, and read again each time', async t => {
  const entra = await serve(t, () => granted('eyJ.one'))
  const file = join(directory(t), 'azure-identity-token')
  writeFileSync(file, 'pod-token-1')
  // As the webhook of Azure Workload Identity sets them.
  const env = {
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    AZURE_FEDERATED_TOKEN_FILE: file,
    AZURE_AUTHORITY_HOST: entra.url.href,
  }
  const { exchange } = scene(t, { env })
  t.strictSame(await exchange(), { kind: 'value', value: { token: 'eyJ.one' }, life: 3_599_000 })
  writeFileSync(file, 'pod-token-2')
  await exchange()
  t.equal(entra.received[0]?.url, `/${TENANT}/oauth2/v2.0/token`)
  t.strictSame(formOf(entra.received[0]!), {
    grant_type: 'client_credentials',
    client_id: CLIENT,
    scope: 'https://monitor.azure.com/.default',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: 'pod-token-1',
  })
  t.equal(formOf(entra.received[1]!)['client_assertion'], 'pod-token-2')
  rmSync(file)
  const code = 'azure_CREDENTIALS_UNREADABLE'
  t.strictSame(await exchange(), { kind: 'failure', code, place: file, what: 'ENOENT' })
})

t.test('a client secret goes before the pod’s token', async t => {
  const entra = await serve(t, () => granted('eyJ.secret'))
  const file = join(directory(t), 'secret')
  writeFileSync(file, 'not-a-secret\n')
  const own = { tenantId: TENANT, clientId: CLIENT, authorityHost: entra.url.href, clientSecret: { file } }
  const { exchange } = scene(t, { ...own, env: { AZURE_FEDERATED_TOKEN_FILE: '/nowhere' } })
  t.match(await exchange(), { value: { token: 'eyJ.secret' } })
  t.match(formOf(entra.received[0]!), { client_secret: 'not-a-secret', client_id: CLIENT })
})

t.test('a refusal has the number that says what to correct, and nothing of it is repeated', async t => {
  const said: readonly (readonly [Said, string])[] = [
    [
      refused('unauthorized_client', 'AADSTS700016: Application with identifier not-a-secret was not found'),
      'AADSTS700016',
    ],
    [refused('invalid_client', 'AADSTS7000222: The provided client secret keys are expired.'), 'AADSTS7000222'],
    [refused('invalid_client', 'AADSTS999999: not known'), 'invalid_client'],
    [refused('a_word_of_its_own', ''), 'http_401'],
    [{ status: 503, body: '' }, 'http_503'],
    [{ status: 200, body: { access_token: 7 } }, 'unreadable_answer'],
  ]
  const entra = await serve(t, (_, count) => said[count - 1]![0])
  const own = { tenantId: TENANT, clientId: CLIENT, authorityHost: entra.url.href, clientSecret: 'not-a-secret' }
  const { exchange } = scene(t, own)
  for (const [, code] of said) t.strictSame(await exchange(), { kind: 'failure', code: `azure_token_${code}` })
})

t.test('the node’s own identity is asked for beside the pod, only where that is allowed', async t => {
  const questions: Question[] = []
  const answer = { status: 200, headers: {}, body: '{"access_token":"eyJ.node","expires_in":"86399"}' }
  const fields = {
    ask: async (question: Question) => {
      questions.push(question)
      return { kind: 'answer', answer } as const
    },
    env: { AZURE_CLIENT_ID: CLIENT },
  }
  t.strictSame(await new AzureExchange(fields).exchange(), { kind: 'failure', code: 'azure_none' })
  t.equal(questions.length, 0)
  const { exchange } = new AzureExchange({ ...fields, managedIdentity: true })
  t.strictSame(await exchange(), { kind: 'value', value: { token: 'eyJ.node' }, life: 86_399_000 })
  const [{ url, headers, beside }] = questions as [Question]
  t.equal(url.origin + url.pathname, 'http://169.254.169.254/metadata/identity/oauth2/token')
  t.strictSame(Object.fromEntries(url.searchParams), {
    'api-version': '2018-02-01',
    resource: 'https://monitor.azure.com',
    client_id: CLIENT,
  })
  t.match([headers, beside], [{ metadata: 'true' }, true])
})

t.test('what is missing beside a secret or a token is named', async t => {
  const source = (fields: Partial<AzureExchangeFields>) =>
    azureSource({ ask: () => Promise.reject(new Error('not asked')), env: {}, ...fields })
  t.strictSame(source({ clientSecret: 'x', clientId: CLIENT }), { kind: 'none', code: 'no_tenant' })
  t.strictSame(source({ env: { AZURE_FEDERATED_TOKEN_FILE: '/a', AZURE_TENANT_ID: TENANT } }), {
    kind: 'none',
    code: 'no_client',
  })
  t.strictSame(source({}), { kind: 'none', code: 'none' })
  const found = source({ tokenFile: '/a', tenantId: TENANT, clientId: CLIENT })
  t.equal(azureSourceName(found), `workload identity ${CLIENT}, /a`)
})

t.test('a secret is not sent in the clear to another machine', async t => {
  const own = {
    tenantId: TENANT,
    clientId: CLIENT,
    authorityHost: 'http://entra.invalid',
    clientSecret: 'not-a-secret',
  }
  const { exchange } = scene(t, own)
  t.strictSame(await exchange(), { kind: 'failure', code: 'azure_token_HTTPS_EXPECTED' })
})
