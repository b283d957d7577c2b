/** An identity of AWS over an hour, with a clock in hand: renewal, refusals, clocks that differ, and what is logged. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Answer } from '../../../../src/backends/backend.ts'
import { AwsIdentity } from '../../../../src/delivery/identity/aws/identity.ts'
import { scratch } from '../../../scratch.ts'
import { Listener } from '../../rig.ts'
import { asker, assumed, ROLE, refusedBySts } from './rig.ts'

type Test = Parameters<typeof scratch>[0]

const START = Date.UTC(2026, 10, 28)
const HOUR = 3_600_000
const REQUEST = {
  method: 'POST',
  host: 'logs.eu-central-1.amazonaws.com',
  path: '/',
  headers: {},
  body: Buffer.from('{}'),
}

const says = (status: number, code: string, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: JSON.stringify({ __type: code, message: 'm' }),
})

/** `behind`: how far our clock is behind AWS's. */
function rig(t: Test, answers: readonly (Answer | string)[], behind = 0) {
  const token = join(scratch(t, {}), 'token')
  writeFileSync(token, 'web-token')
  const clock = { now: 0 }
  const listener = new Listener()
  const { ask, questions } = asker(...answers)
  const identity = new AwsIdentity({
    aws: { region: 'eu-central-1', service: 'logs', instanceMetadata: false },
    ask,
    logger: listener,
    env: { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: ROLE },
    wall: () => START - behind + clock.now,
    now: () => clock.now,
    random: () => 0.5,
    end: async () => {},
  })
  const credential = async () => {
    const got = await identity.credential()
    if (got.kind === 'failure') throw new Error(got.code)
    return got.credential
  }
  const shown = async () => (await credential()).sign(REQUEST)
  return { clock, listener, questions, identity, credential, shown }
}

t.test('a request is signed with what STS gave, and one exchange serves for most of an hour', async t => {
  const { clock, questions, shown, listener } = rig(t, [assumed('one', START + HOUR), assumed('two', START + 2 * HOUR)])
  const fields = await shown()
  t.match(fields['authorization'], 'AWS4-HMAC-SHA256 Credential=one/20261128/eu-central-1/logs/aws4_request, ')
  t.equal(fields['x-amz-security-token'], 'token-of-one')
  t.equal(fields['x-amz-date'], '20261128T000000Z')
  clock.now = 0.79 * HOUR
  await shown()
  t.equal(questions.length, 1)
  clock.now = 0.81 * HOUR
  t.match((await shown())['authorization'], 'Credential=one/', 'no request waits for the renewal')
  await new Promise(setImmediate)
  t.match((await shown())['authorization'], 'Credential=two/')
  t.equal(questions.length, 2)
  t.same(
    listener.said.map(({ fields }) => fields['event']),
    ['identity_found'],
  )
})

t.test('a token that is refused as expired is replaced at once, if it had been accepted', async t => {
  const { clock, identity, credential } = rig(t, [assumed('one', START + HOUR), assumed('two', START + HOUR)])
  const one = await credential()
  t.notOk(identity.answered(one, says(400, 'ExpiredTokenException')), 'a new one would be refused as well')
  t.notOk(identity.answered(one, { status: 200, headers: {}, body: '{}' }))
  clock.now = 60_000
  t.ok(identity.answered(one, says(400, 'ExpiredTokenException')))
  t.match((await credential()).sign(REQUEST)['authorization'], 'Credential=two/')
})

t.test('a missing permission says what to grant, and gives up no credential', async t => {
  const { identity, credential, listener, questions } = rig(t, [assumed('one', START + HOUR)])
  const one = await credential()
  const message = `User: ${ROLE} is not authorized to perform: logs:PutLogEvents on resource: arn:aws:logs:a:1:log-group:/app`
  const body = JSON.stringify({ __type: 'AccessDeniedException', message })
  t.notOk(identity.answered(one, { status: 400, headers: {}, body }))
  t.match(listener.said.at(-1), {
    level: 'error',
    fields: { event: 'permission_missing', action: 'logs:PutLogEvents', resource: 'arn:aws:logs:a:1:log-group:/app' },
  })
  t.equal(await credential(), one)
  t.equal(questions.length, 1)
})

t.test('a clock that is an hour off is found out at STS already', async t => {
  const date = { date: new Date(START).toUTCString() }
  const { shown, clock, questions, listener } = rig(t, [assumed('one', START + HOUR, date)], HOUR)
  t.equal((await shown())['x-amz-date'], '20261128T000000Z', 'the time of AWS')
  clock.now = 0.79 * HOUR
  await shown()
  t.equal(questions.length, 1, 'keys last as long as AWS says, by its own clock')
  t.match(listener.said[0], { level: 'warn', fields: { event: 'clock_skewed', seconds: 3600 } })
})

t.test('a clock that goes wrong later is corrected by the answer, once', async t => {
  const { identity, credential } = rig(t, [assumed('one', START + 10 * HOUR)], HOUR)
  const one = await credential()
  const late = says(403, 'RequestTimeTooSkewed', { date: new Date(START).toUTCString() })
  t.ok(identity.answered(one, late), 'it goes again, with another time')
  t.equal(one.sign(REQUEST)['x-amz-date'], '20261128T000000Z')
  t.notOk(identity.answered(one, late), 'the same word again would change nothing')
})

t.test('what STS refuses is said in one sentence that tells what to do, without a secret', async t => {
  for (const [answer, level, code, words] of [
    [refusedBySts(403, 'AccessDenied'), 'error', 'aws_sts_AccessDenied', /trust policy.*sts:AssumeRoleWithWebIdentity/],
    [refusedBySts(400, 'ExpiredTokenException'), 'error', 'aws_sts_ExpiredTokenException', /has expired/],
    [refusedBySts(400, 'InvalidIdentityToken'), 'error', 'aws_sts_InvalidIdentityToken', /OIDC provider/],
    ['ENOTFOUND', 'error', 'aws_sts_ENOTFOUND', /no STS of this region/],
    ['proxy_403', 'warn', 'aws_sts_proxy_403', /proxy/],
    ['CONNECT_TIMEOUT', 'warn', 'aws_sts_CONNECT_TIMEOUT', /egress/],
    [{ status: 503, headers: {}, body: '' }, 'warn', 'aws_sts_http_503', /STS/],
  ] as const) {
    const { identity, listener } = rig(t, [answer])
    t.same(await identity.credential(), { kind: 'failure', code })
    const [said] = listener.said
    t.equal(said?.level, level, code)
    t.match(said?.sentence, words)
    t.notMatch(JSON.stringify(listener.said), /web-token/)
  }
})

t.test('keys go on being used while their renewal fails, which is said at a warning at the most', async t => {
  const { clock, shown, listener } = rig(t, [assumed('one', START + HOUR), { status: 503, headers: {}, body: '' }])
  await shown()
  for (clock.now = 0.85 * HOUR; clock.now < HOUR; clock.now += 60_000) {
    t.match((await shown())['authorization'], 'Credential=one/')
    await new Promise(setImmediate)
  }
  t.match(listener.said.at(-1), { level: 'warn', fields: { event: 'identity_unavailable', held: true } })
  await t.rejects(shown(), { message: 'aws_sts_http_503' })
})

t.test('keys that have ended when they come are none', async t => {
  const { identity } = rig(t, [assumed('one', START - 1000)])
  t.same(await identity.credential(), { kind: 'failure', code: 'aws_ended' })
})

t.test('a pod without an identity hears how to get one', async t => {
  const listener = new Listener()
  const identity = new AwsIdentity({
    aws: { region: 'eu-central-1', service: 'logs', instanceMetadata: false },
    ask: asker('unused').ask,
    logger: listener,
    env: {},
    end: async () => {},
  })
  t.same(await identity.credential(), { kind: 'failure', code: 'aws_none' })
  t.match(listener.said[0]?.sentence, /eks\.amazonaws\.com\/role-arn/)
})
