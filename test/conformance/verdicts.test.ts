/** Every answer that is known of a backend means what the README says. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { configured, created, judgeOf } from './stage.ts'
import { SUBJECTS } from './subjects.ts'
import { BEGIN, END, placed, table } from './verdicts.ts'

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

t.test('the table of the README is the one that the judges make', async t => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  t.equal(placed(readme, table(SUBJECTS)), readme, 'node test/conformance/table.ts --write makes it anew')
  t.throws(() => placed(`${END}${BEGIN}`, ''), /README.md has no/)
})
