import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Slots } from '../../../src/process/parse/slots.ts'
import { compileSelect } from '../../../src/process/select/compile.ts'
import { Rig } from './rig.ts'

const word = fc.stringMatching(/^[ab]{1,5}$/)
const line = fc.array(fc.constantFrom('a', 'b', 'c', ' '), { maxLength: 60 }).map(signs => signs.join(''))

t.test('a record that holds one of many texts is dropped, wherever in it the text stands', t => {
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 20 }),
      fc.array(line, { minLength: 1, maxLength: 60 }),
      (texts, lines) => {
        const rig = new Rig({ filter: { drop: texts } })
        assert.deepEqual(
          rig.texts(lines),
          lines.filter(each => !texts.some(text => each.includes(text))),
        )
      },
    ),
    { numRuns: 150 },
  )
  t.end()
})

t.test('what is kept holds a text or matches an expression, and what is dropped neither', t => {
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1, maxLength: 3 }),
      fc.array(line, { minLength: 1, maxLength: 40 }),
      (keep, lines) => {
        const rig = new Rig({ filter: { keep, keepMatching: ['c\\s+c$', '^b'], dropMatching: '^\\s*$' } })
        const stays = (each: string) => keep.some(text => each.includes(text)) || /c\s+c$|^b/.test(each)
        assert.deepEqual(
          rig.texts(lines),
          lines.filter(each => stays(each) && !/^\s*$/.test(each)),
        )
      },
    ),
    { numRuns: 100 },
  )
  t.end()
})

t.test('a text is not found across two records, and is where a record of several lines has it', t => {
  const rig = new Rig({ filter: { drop: ['one\ntwo', 'ab'] } })
  t.strictSame(rig.texts(['one', 'two', 'xa', 'bx']), ['one', 'two', 'xa', 'bx'])
  t.strictSame(rig.texts(['zero', 'it is one\ntwo', 'b']), ['zero', 'b'])
  t.end()
})

t.test('texts of one and of two bytes, of all bytes, and long ones are found', t => {
  const long = 'x'.repeat(300)
  const bytes = Buffer.from([0xff, 0xfe, 0x00]).toString('latin1')
  t.strictSame(new Rig({ filter: { drop: ['#'] } }).texts(['a#', '#', 'a', '']), ['a', ''])
  t.strictSame(new Rig({ filter: { drop: ['ü', 'kube-probe/'] } }).texts(['grün', 'kube-probe', 'a kube-probe/1.2']), [
    'kube-probe',
  ])
  t.strictSame(new Rig({ filter: { drop: [long, 'q'] } }).texts([`a${long}b`, long.slice(1)]), [long.slice(1)])
  t.equal(new Rig({ filter: { drop: 'ÿ' } }).texts([bytes]).length, 0)
  t.end()
})

t.test('records below a level are dropped, and those of no known level stay', t => {
  const rig = new Rig({ filter: 'info' })
  const lines = [0, 1, 5, 8, 9, 13, 24].map(level => ({ text: `level ${level}`, level }))
  t.strictSame(rig.texts(lines), ['level 0', 'level 9', 'level 13', 'level 24'])
  t.end()
})

t.test('all conditions of a rule must hold, and one value of each', t => {
  const slots = new Slots(['path', 'status', 'logger'])
  const rules = {
    probes: { drop: { path: ['/healthz', '/readyz'], status: 200 } },
    noisy: { drop: { logger: 'cache', below: 'error' } },
    both: { drop: { text: ['retry', 'again'], matching: '\\d{3}$' } },
  }
  const rig = new Rig({ filter: { rules } }, slots)
  const lines = [
    { text: '"/healthz" 200', values: ['"/healthz"', '200'] },
    { text: '/readyz "200"', values: ['/readyz', '"200"'] },
    { text: '/readyz 500', values: ['/readyz', '500'] },
    { text: '/healthzz 200', values: ['/healthzz', '200'] },
    { text: 'cache info', level: 9, values: [undefined, undefined, 'cache'] },
    { text: 'cache error', level: 17, values: [undefined, undefined, 'cache'] },
    { text: 'cache', values: [undefined, undefined, 'cache'] },
    { text: 'retry in 100' },
    { text: 'again 12' },
  ]
  const slab = rig.slab({ lines })
  rig.selector.apply(slab, 0)
  t.strictSame(
    rig.kept(slab).map(({ text }) => text),
    ['/readyz 500', '/healthzz 200', 'cache error', 'cache', 'again 12'],
  )
  const { dropped } = slab.chunks[0]!.outcome
  t.match(dropped, { 'filter:probes': { lines: 2 }, 'filter:noisy': { lines: 1 }, 'filter:both': { lines: 1 } })
  t.end()
})

t.test('a backend drops what its source kept', t => {
  const rig = new Rig({ filter: { drop: 'source' } }, undefined, {
    filter: { drop: 'backend', rules: { own: { drop: { text: 'own' } } } },
  })
  const slab = rig.slab({ lines: ['one', 'source', 'backend', 'own', 'two'].map(text => ({ text })) })
  rig.selector.apply(slab, 0)
  t.strictSame(
    rig.kept(slab).map(({ text }) => text),
    ['one', 'two'],
  )
  t.strictSame(slab.chunks[0]!.outcome.dropped, {
    'filter:drop': { lines: 2, bytes: 15 },
    'filter:own': { lines: 1, bytes: 4 },
  })
  t.end()
})

t.test('a carriage return before the line end is no part of what expressions see', t => {
  t.strictSame(new Rig({ filter: { dropMatching: ['end$', '^$'] } }).texts(['the end\r', '\r', '', 'end.']), ['end.'])
  t.end()
})

t.test('what is too dear to be searched to its end is kept, whichever way it is asked for', t => {
  const line = `${'ab'.repeat(200_000)}`
  const expression = 'ab(?:ab)*c'
  t.strictSame(new Rig({ filter: { dropMatching: expression } }).texts([line, 'xababc']), [line])
  t.strictSame(new Rig({ filter: { keepMatching: expression } }).texts([line, 'xababc', 'ab']), [line, 'xababc'])
  t.end()
})

t.test('what cannot be compiled is reported at its key', t => {
  const problems = (options: Parameters<typeof compileSelect>[0], slots?: Slots) => {
    const found: unknown[] = []
    compileSelect(options, { slots }, problem => void found.push(problem))
    return found
  }
  t.match(problems({ filter: { dropMatching: ['fine', 'a(b'] } }), [
    { path: ['filter', 'dropMatching', 1], allowed: /RE2/ },
  ])
  t.match(problems({ filter: { keepMatching: '(?=a)' } }), [{ path: ['filter', 'keepMatching'] }])
  t.match(problems({ filter: { rules: { probes: { drop: { path: '/healthz' } } } } }), [
    { path: ['filter', 'rules', 'probes', 'drop', 'path'], found: /not parsed/, hint: /parse/ },
  ])
  t.match(problems({ filter: { rules: { one: { drop: { pth: 1 } } } } }, new Slots(['path'])), [
    { found: 'the unknown field pth', allowed: 'below, text, matching, path' },
  ])
  t.match(problems({ filter: { rules: { one: { drop: { below: 'loud' } } } } }), [{ allowed: /trace, debug/ }])
  t.match(problems({ sample: { keep: 0.5, by: 'trace_id', unless: 'error' } }), [{ path: ['sample', 'by'] }])
  t.end()
})
