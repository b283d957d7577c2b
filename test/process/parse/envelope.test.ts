/** What container runtimes write around a line: docker's objects, CRI's prefixes. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Finder, planFor } from './found.ts'

const TIME = '2026-11-23T10:00:00.123456789Z'

t.test('a line of docker has its message without the line feed', async t => {
  const { plan, slots } = planFor({ parse: 'docker' }, [['time'], ['stream']])
  const finder = new Finder(plan)
  const read = (record: string) => {
    const [found] = finder.find([record])
    const { message } = plan.shape
    return {
      form: found!.form,
      record: found!.record.toString(),
      values: [message!, ...slots].map(slot => found!.values[slot!]),
    }
  }
  t.strictSame(read(`{"log":"said hi\\n","stream":"stdout","time":"${TIME}"}`), {
    form: 'json',
    record: `{"log":"said hi"  ,"stream":"stdout","time":"${TIME}"}`,
    values: ['"said hi"', `"${TIME}"`, '"stdout"'],
  })
  t.strictSame(read('{"log":"a part","stream":"stderr"}').values, ['"a part"', undefined, '"stderr"'])
  const logs = ['"\\n"', '""', '"\\\\n"', '"\\\\\\n"', '"n"', '"\\n\\n"', '"a\\r\\n"', '"\\u000a"']
  t.strictSame(
    logs.map(log => read(`{"log":${log}}`).values[0]),
    ['""', '""', '"\\\\n"', '"\\\\"', '"n"', '"\\n"', '"a\\r"', '"\\u000a"'],
  )
  t.strictSame(read('\0{"log":"x\\n"}').record, '\0{"log":"x"  }')
  for (const no of ['{"message":"x"}', '{"log":1}', '{"log":{"a":1}}', '{}', 'x', '{"log":"x\\n"']) {
    t.strictSame(read(no), { form: 'text', record: no, values: [undefined, undefined, undefined] })
  }
})

t.test('what docker wrote says the same afterwards, but for one line feed', async t => {
  const { plan } = planFor({ parse: 'docker' })
  const finder = new Finder(plan)
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\\', '\n', 'n', '"', 'é', 'x', '\0') }), log => {
        const line = JSON.stringify({ log, stream: 'stdout' })
        const [once] = finder.find([line])
        assert.equal(once!.record.length, Buffer.byteLength(line))
        assert.deepEqual(JSON.parse(once!.record.toString()), { log: log.replace(/\n$/, ''), stream: 'stdout' })
        assert.equal(
          JSON.parse(Buffer.from(once!.values[plan.shape.message!]!, 'latin1').toString()),
          log.replace(/\n$/, ''),
        )
      }),
      { numRuns: 1000 },
    ),
  )
})

t.test('of formats the first that fits holds, record by record', async t => {
  const { plan } = planFor({ parse: ['docker', 'json', 'logfmt'] })
  const finder = new Finder(plan)
  const found = finder.find(['{"log":"a\\n"}', '{"msg":"b"}', 'msg=c', 'd', '{"msg":"e","log":"f\\n"}'])
  t.strictSame(
    found.map(({ form, values }) => [form, values[plan.shape.message!]]),
    [
      ['json', '"a"'],
      ['json', '"b"'],
      ['pairs', 'c'],
      ['text', undefined],
      ['json', '"f"'],
    ],
  )
  t.equal(finder.unparsed, 1)
})

t.test('a line of CRI has a time, a stream, a tag and a message', async t => {
  const { plan, slots } = planFor({ parse: 'cri' }, [['time'], ['stream'], ['logtag']])
  const finder = new Finder(plan)
  const read = (record: string) => {
    const [found] = finder.find([record])
    return found!.form === 'values' ? [...slots, plan.shape.message].map(slot => found!.values[slot!]) : found!.form
  }
  t.strictSame(read(`${TIME} stdout F said hi`), [TIME, 'stdout', 'F', 'said hi'])
  t.strictSame(read('2026-11-23T11:00:00.1+01:00 stderr P  said'), [
    '2026-11-23T11:00:00.1+01:00',
    'stderr',
    'P',
    ' said',
  ])
  t.strictSame(read(`${TIME} stdout F:x `), [TIME, 'stdout', 'F:x', ''])
  t.strictSame(read(`${TIME} stdout F`), [TIME, 'stdout', 'F', ''])
  t.strictSame(read(`${TIME} stdout F {"a":1}\r`), [TIME, 'stdout', 'F', '{"a":1}'])
  const no = ['', TIME, `${TIME} `, `${TIME} stdout`, `${TIME} stdout `, `${TIME} stdlog F x`, `${TIME} stdout X x`]
  no.push(
    `${TIME} stdout FX x`,
    `${TIME}  stdout F x`,
    '2026-11-23 stdout F x',
    `x ${TIME} stdout F x`,
    `${TIME} stdoutF x`,
  )
  for (const record of no) t.equal(read(record), 'text', record)
})

t.test('a name that no record can have has no slot', async t => {
  const { plan, slots } = planFor({ parse: ['cri', 'docker'] }, [['status'], [['level', 'stream']], ['attrs']])
  t.equal(slots[0], undefined)
  t.not(slots[1], undefined)
  t.not(slots[2], undefined)
  t.equal(plan.shape.level, undefined)
  t.not(plan.shape.message, undefined)
})
