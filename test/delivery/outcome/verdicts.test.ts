import t from 'tap'
import type { Verdict } from '../../../src/backends/backend.ts'
import {
  type Conclusion,
  isAccepted,
  isRefused,
  isRetryable,
  refusalOf,
} from '../../../src/delivery/outcome/verdicts.ts'

const item = (index: number) => ({ index, reason: `bad ${index}` })

/** Of three records: whether something was accepted, and whether they are to be tried in another way. */
const CONCLUSIONS: readonly (readonly [conclusion: Conclusion, accepted: boolean, refused: boolean])[] = [
  [{ kind: 'delivered' }, true, false],
  [{ kind: 'pending', receipt: '1' }, true, false],
  [{ kind: 'counted', rejected: 2, reason: 'some' }, true, false],
  [{ kind: 'counted', rejected: 3, reason: 'all' }, false, false],
  [{ kind: 'items', rejected: [item(0)], retry: [item(1)] }, true, false],
  [{ kind: 'items', rejected: [item(0)], retry: [item(1)], unread: [2] }, false, true],
  [{ kind: 'rejected', reason: 'configured' }, false, false],
  [{ kind: 'bisect', reason: 'http_400' }, false, true],
  [{ kind: 'split', reason: 'http_413' }, false, true],
  [{ kind: 'failing', within: true, reason: 'http_200' }, false, true],
]

t.test('a conclusion says whether something was accepted, and whether its records are tried in another way', t => {
  for (const [conclusion, accepted, refused] of CONCLUSIONS) {
    t.equal(isAccepted(conclusion, 3), accepted, JSON.stringify(conclusion))
    t.equal(isRefused(conclusion, 3), refused, JSON.stringify(conclusion))
    t.notOk(isRetryable(conclusion))
  }
  const failures: Verdict[] = [
    { kind: 'retry', reason: 'http_503' },
    { kind: 'unauthorized', reason: 'http_401' },
  ]
  t.ok(failures.every(failure => isRetryable(failure)))
  t.end()
})

t.test('the first of several records speaks for all that were refused with it', t => {
  t.match(refusalOf({ kind: 'items', rejected: [item(4), item(5)], retry: [] }), { reason: 'bad 4' })
  t.match(refusalOf({ kind: 'items', rejected: [], retry: [item(7)] }), { reason: 'bad 7' })
  t.match(refusalOf({ kind: 'bisect', reason: 'http_400', detail: 'why' }), { reason: 'http_400', detail: 'why' })
  t.end()
})
