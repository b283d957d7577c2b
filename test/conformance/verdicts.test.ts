/** Every answer that is known of a backend has its verdict; docs/answers.md shows them. */
import t from 'tap'
import { configured, created, judgeOf } from './stage.ts'
import { SUBJECTS } from './subjects.ts'

for (const subject of SUBJECTS) {
  t.test(`${subject.name}: each answer has its verdict`, async t => {
    const backend = created(await configured(t, subject, 'http://127.0.0.1:1'))
    const judge = judgeOf(backend)
    for (const { name, answer, verdict } of subject.cases) t.strictSame(judge(answer), verdict, name)
    t.ok(subject.cases.some(({ verdict }) => verdict.kind !== 'retry'))
  })
}

t.test('an answer without sense is no delivery and no loss', async t => {
  for (const subject of SUBJECTS) {
    const judge = judgeOf(created(await configured(t, subject, 'http://127.0.0.1:1')))
    for (const status of [100, 199, 300, 399, 418, 499, 500, 501, 599, 999]) {
      let kind = 'thrown'
      try {
        kind = judge({ status, headers: {}, body: '\0{"a":[\ufffd' }).kind
      } catch {
        // Delivery takes it for an answer that cannot be read.
      }
      t.ok(['retry', 'unauthorized', 'thrown'].includes(kind), `${subject.name}: ${status} is ${kind}`)
    }
  }
})
