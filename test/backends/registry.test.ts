import t from 'tap'
import { judge } from '../../src/backends/http.ts'
import { BACKENDS, type BackendType, entryOf, rejectReasonsOf } from '../../src/backends/registry.ts'
import { SUBJECTS } from '../conformance/subjects.ts'

const types = Object.keys(BACKENDS) as BackendType[]

/** Reasons with which the answers that a type is known to give refuse records. */
function refusing(type: BackendType): Set<string> {
  const reasons = new Set<string>()
  for (const { verdict } of SUBJECTS.filter(subject => subject.type === type).flatMap(({ cases }) => cases)) {
    if (verdict.kind === 'rejected' || verdict.kind === 'bisect' || verdict.kind === 'counted')
      reasons.add(verdict.reason)
    if (verdict.kind !== 'items') continue
    for (const { reason } of verdict.rejected) reasons.add(reason)
    for (const { rejectAs } of verdict.retry) if (rejectAs) reasons.add(rejectAs)
  }
  return reasons
}

t.test('every reason to refuse a record in the table of verdicts is counted from 0, and no other', t => {
  for (const type of types.filter(each => each !== 'http' && entryOf(each).transport === 'http')) {
    t.strictSame([...rejectReasonsOf(type, {})].sort(), [...refusing(type)].sort(), type)
  }
  t.end()
})

t.test('for plain HTTP it is every status that refuses records', t => {
  const reasons = Array.from({ length: 500 }, (_, at) => judge({ status: 100 + at, headers: {}, body: '' })).flatMap(
    verdict => (verdict.kind === 'rejected' || verdict.kind === 'bisect' ? [verdict.reason] : []),
  )
  t.strictSame([...rejectReasonsOf('http', {})].sort(), [...new Set(reasons)].sort())
  for (const reason of refusing('http')) t.ok(reasons.includes(reason), reason)
  t.end()
})

t.test('statuses that the configuration gives such a meaning are among them; classes of statuses are no reasons', t => {
  t.strictSame(rejectReasonsOf('http', { statuses: { bisect: [400, '418'], rejected: [404, '5xx'] } }), [
    ...rejectReasonsOf('http', {}),
    'http_418',
    'http_404',
  ])
  t.strictSame(rejectReasonsOf('stdout', {}), [])
  t.end()
})
