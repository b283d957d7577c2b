/** Where keys are found, in which order, and what is said of them that cannot be had. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type SourceOptions, sourceOf } from '../../../../src/delivery/identity/aws/sources.ts'
import type { Environment } from '../../../../src/environment.ts'
import { scratch } from '../../../scratch.ts'
import { asker, assumed, keysInJson, ROLE, refusedBySts } from './rig.ts'

const OPTIONS: SourceOptions = {
  region: 'eu-central-1',
  instanceMetadata: false,
  stsEndpoint: new URL('https://sts.eu-central-1.amazonaws.com'),
}
const END = Date.UTC(2026, 10, 28, 1)
const found = (name: string) => ({
  kind: 'keys',
  keys: { accessKeyId: name, secretAccessKey: `secret-of-${name}`, sessionToken: `token-of-${name}` },
  end: END,
})
const ENVIRONMENT = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'key-of-id' }
const AGENT = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' }

function web(t: Parameters<typeof scratch>[0], token = 'web-token\n') {
  const file = join(scratch(t, {}), 'token')
  writeFileSync(file, token)
  return { file, env: { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: ROLE, HOSTNAME: 'web-1.shop' } }
}

t.test('the first that is there is used: configured, environment, web identity, container, instance', async t => {
  const { env } = web(t)
  const all: Environment = { ...ENVIRONMENT, ...env, ...AGENT }
  const configured = { ...OPTIONS, accessKeyId: 'a', secretAccessKey: 'b', instanceMetadata: true }
  const { ask } = asker('unused')
  const names = [
    sourceOf(configured, all, ask),
    sourceOf({ ...OPTIONS, instanceMetadata: true }, all, ask),
    sourceOf({ ...OPTIONS, instanceMetadata: true }, { ...env, ...AGENT }, ask),
    sourceOf({ ...OPTIONS, instanceMetadata: true }, AGENT, ask),
    sourceOf({ ...OPTIONS, instanceMetadata: true }, {}, ask),
  ].map(source => source?.name)
  t.same(names, [
    'configured keys',
    'keys of the environment',
    `web identity, ${ROLE}`,
    'container endpoint',
    'instance metadata',
  ])
  t.equal(sourceOf(OPTIONS, {}, ask), undefined, 'the node’s role is not taken unasked')
  t.equal(sourceOf({ ...OPTIONS, instanceMetadata: true }, { AWS_EC2_METADATA_DISABLED: 'true' }, ask), undefined)
})

t.test('keys of the environment do not end, and half of them are named', async t => {
  const { ask } = asker('unused')
  t.same(await sourceOf(OPTIONS, ENVIRONMENT, ask)!.exchange(), {
    kind: 'keys',
    keys: { accessKeyId: 'id', secretAccessKey: 'key-of-id' },
  })
  t.match(await sourceOf(OPTIONS, { AWS_ACCESS_KEY_ID: 'id' }, ask)!.exchange(), { code: 'incomplete_environment' })
})

t.test('configured keys are read from their files each time', async t => {
  const file = join(scratch(t, {}), 'key')
  writeFileSync(file, 'one\n')
  const { ask } = asker('unused')
  const source = sourceOf({ ...OPTIONS, accessKeyId: 'id', secretAccessKey: { file } }, {}, ask)!
  t.match(await source.exchange(), { keys: { secretAccessKey: 'one' } })
  writeFileSync(file, 'two\n')
  t.match(await source.exchange(), { keys: { secretAccessKey: 'two' } })
  writeFileSync(file, '')
  t.match(await source.exchange(), { kind: 'failure', code: 'CREDENTIALS_UNREADABLE', place: file })
})

t.test('a web identity is exchanged at STS, its token read anew each time', async t => {
  const { file, env } = web(t)
  const { questions, ask } = asker(assumed('one', END))
  const source = sourceOf(OPTIONS, env, ask)!
  t.same(await source.exchange(), found('one'))
  writeFileSync(file, 'next-token')
  await source.exchange()
  const [first, second] = questions
  t.equal(first?.url.href, 'https://sts.eu-central-1.amazonaws.com/')
  t.equal(first?.beside, false)
  t.same(Object.fromEntries(new URLSearchParams(first?.body)), {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: ROLE,
    RoleSessionName: 'logshipper-web-1.shop',
    WebIdentityToken: 'web-token',
  })
  t.equal(new URLSearchParams(second?.body).get('WebIdentityToken'), 'next-token')
})

t.test('what STS objects to is a bounded word', async t => {
  const { env } = web(t)
  for (const [answer, code] of [
    [refusedBySts(403, 'AccessDenied'), 'sts_AccessDenied'],
    [refusedBySts(400, 'ExpiredTokenException'), 'sts_ExpiredTokenException'],
    [refusedBySts(400, 'MadeUpToday'), 'sts_http_400'],
    [{ status: 200, headers: {}, body: '<html>Sign in</html>' }, 'sts_unreadable_answer'],
    [{ ...assumed('a\nb', END) }, 'sts_unreadable_answer'],
    ['ENOTFOUND', 'sts_ENOTFOUND'],
  ] as const) {
    t.same(await sourceOf(OPTIONS, env, asker(answer).ask)!.exchange(), { kind: 'failure', code })
  }
  const gone = { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: '/nonexistent/token' }
  const place = '/nonexistent/token'
  const { questions, ask } = asker('unused')
  t.match(await sourceOf(OPTIONS, gone, ask)!.exchange(), { code: 'CREDENTIALS_UNREADABLE', place })
  t.equal(questions.length, 0)
})

t.test('the Pod Identity agent is shown the token of its file, and asked directly', async t => {
  const { file } = web(t, 'agent-token\n')
  const { questions, ask } = asker(keysInJson('pod', END))
  const env = { ...AGENT, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'other' }
  t.same(await sourceOf(OPTIONS, env, ask)!.exchange(), found('pod'))
  t.match(questions[0], { method: 'GET', beside: true, headers: { authorization: 'agent-token' } })
  t.equal(questions[0]?.url.href, 'http://169.254.170.23/v1/credentials')
})

t.test('a container of ECS asks its own address', async t => {
  const { questions, ask } = asker(keysInJson('task', END))
  const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/id' }
  t.same(await sourceOf(OPTIONS, env, ask)!.exchange(), found('task'))
  t.equal(questions[0]?.url.href, 'http://169.254.170.2/v2/credentials/id')
})

t.test('a token goes to no address in the clear that is not beside the pod', async t => {
  for (const uri of ['http://198.51.100.7/creds', 'http://agent.example.com/', 'ftp://127.0.0.1/', 'no address']) {
    const { questions, ask } = asker(keysInJson('pod', END))
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'agent-token' }
    t.match(await sourceOf(OPTIONS, env, ask)!.exchange(), { code: 'container_uri_unusable' }, uri)
    t.equal(questions.length, 0)
  }
})

t.test('instance metadata is asked in its second version alone', async t => {
  const text = (status: number, body: string) => ({ status, headers: {}, body })
  const { questions, ask } = asker(text(200, 'session'), text(200, 'node-role'), keysInJson('node', END))
  const source = sourceOf({ ...OPTIONS, instanceMetadata: true }, {}, ask)!
  t.same(await source.exchange(), found('node'))
  t.same(
    questions.map(({ method, url }) => `${method} ${url.pathname}`),
    [
      'PUT /latest/api/token',
      'GET /latest/meta-data/iam/security-credentials/',
      'GET /latest/meta-data/iam/security-credentials/node-role',
    ],
  )
  t.equal(questions[2]?.headers['x-aws-ec2-metadata-token'], 'session')
  const none = asker(text(200, 'session'), text(404, ''))
  const other = sourceOf({ ...OPTIONS, instanceMetadata: true }, {}, none.ask)!
  t.same(await other.exchange(), { kind: 'failure', code: 'instance_no_role' })
})
