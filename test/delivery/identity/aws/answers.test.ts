/** What answers of AWS say of the identity, in the forms that its services have for it. */
import t from 'tap'
import type { Answer } from '../../../../src/backends/backend.ts'
import { errorOf, meaningOf } from '../../../../src/delivery/identity/aws/answers.ts'
import { missingIn } from '../../../../src/delivery/identity/missing.ts'

const NOW = Date.UTC(2026, 10, 28)
const HOUR = 3_600_000

const says = (status: number, body: string, headers: Record<string, string> = {}): Answer => ({ status, headers, body })
const at = (time: number) => ({ date: new Date(time).toUTCString() })
const json = (type: string, message = '') => JSON.stringify({ __type: type, message })
const xml = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`

const CASES: readonly (readonly [name: string, answer: Answer, kind: string])[] = [
  ['a success', says(200, '{}'), 'accepted'],
  ['a token that has ended, of a JSON service', says(400, json('ExpiredTokenException')), 'ended'],
  ['a token that has ended, of S3', says(400, xml('ExpiredToken')), 'ended'],
  ['a key that is not known', says(400, json('com.amazon.coral.service#UnrecognizedClientException')), 'ended'],
  [
    'OpenSearch, which has no code',
    says(403, '{"message":"The security token included in the request is expired"}'),
    'ended',
  ],
  ['a code in a header', says(403, '', { 'x-amzn-errortype': 'ExpiredTokenException:http://internal/' }), 'ended'],
  ['S3 whose clock is an hour ahead', says(403, xml('RequestTimeTooSkewed'), at(NOW + HOUR)), 'skewed'],
  [
    'a signature that has expired',
    says(400, json('InvalidSignatureException', 'Signature expired: x'), at(NOW + HOUR)),
    'skewed',
  ],
  ['a signature of the future', says(403, '{"message":"Signature not yet current: x"}', at(NOW - HOUR)), 'skewed'],
  ['a wrong signature at the right time', says(403, json('InvalidSignatureException'), at(NOW)), 'unknown'],
  [
    'a permission that is missing',
    says(400, json('AccessDeniedException', 'User: x is not authorized'), at(NOW)),
    'accepted',
  ],
  [
    'a group that is missing, and a clock that is off',
    says(400, json('ResourceNotFoundException'), at(NOW + HOUR)),
    'accepted',
  ],
  ['a page of a proxy', says(403, '<html>Access denied by policy</html>', at(NOW)), 'unknown'],
  ['an error of the server', says(503, xml('SlowDown'), at(NOW + HOUR)), 'unknown'],
]

for (const [name, answer, kind] of CASES) {
  t.test(name, async t => {
    const meaning = meaningOf(answer, NOW)
    t.equal(meaning.kind, kind)
    if (meaning.kind === 'skewed') t.equal(Math.abs(meaning.time - NOW), HOUR)
  })
}

t.test('a code is the word without what stands around it', async t => {
  t.equal(errorOf(says(400, json('com.amazonaws.logs#ThrottlingException'))), 'ThrottlingException')
  t.equal(errorOf(says(400, 'Throttling')), undefined)
})

t.test('of an answer about a permission, action and resource are kept and nothing else', async t => {
  const who = 'User: arn:aws:sts::111122223333:assumed-role/app/logshipper-web is not authorized to perform: '
  t.same(
    missingIn(
      `${who}logs:PutLogEvents on resource: arn:aws:logs:eu-central-1:111122223333:log-group:/app:log-stream:web because no identity-based policy allows the logs:PutLogEvents action`,
    ),
    {
      action: 'logs:PutLogEvents',
      resource: 'arn:aws:logs:eu-central-1:111122223333:log-group:/app:log-stream:web',
    },
  )
  t.same(missingIn(`{"Message":"${who}es:ESHttpPost"}`), { action: 'es:ESHttpPost' })
  t.same(missingIn(`<Message>${who}s3:PutObject on resource: "arn:aws:s3:::logs/a.gz" because no …</Message>`), {
    action: 's3:PutObject',
    resource: 'arn:aws:s3:::logs/a.gz',
  })
  t.equal(missingIn('not authorized'), undefined)
})
