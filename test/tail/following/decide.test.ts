/** What follows from a look at a file, over all that a look can show. */
import t from 'tap'
import { type Change, decide, needsComparison, type Observed } from '../../../src/tail/following/decide.ts'
import type { Sight } from '../../../src/tail/generation/tailer.ts'

const BOTH = [false, true] as const
const SIGHTS: readonly Sight[] = [
  ...BOTH.flatMap(unread => BOTH.map(changed => ({ kind: 'intact' as const, unread, changed }))),
  { kind: 'shortened', bytes: 7 },
  { kind: 'replaced' },
]

function* observations(): Generator<Observed> {
  for (const sight of SIGHTS)
    for (const begins of BOTH)
      for (const emptied of BOTH)
        for (const copied of BOTH)
          for (const noise of BOTH) for (const packed of BOTH) yield { sight, begins, emptied, copied, noise, packed }
}

const kinds = (observed: Observed) => decide(observed).map(({ kind }) => kind)
const ENDS: readonly Change['kind'][] = ['displaced', 'packed']

t.test('a look ends with one conclusion: the file is let go of, or everything else was done', t => {
  for (const observed of observations()) {
    const all = kinds(observed)
    t.equal(all.filter(kind => kind === 'looked' || ENDS.includes(kind)).length, 1, JSON.stringify(observed))
    t.ok(['looked', ...ENDS].includes(all.at(-1)!), 'which comes last')
    t.equal(new Set(all).size, all.length, 'nothing is done twice')
  }
  t.end()
})

t.test(
  'nothing is read of a file that is let go of, nor of one whose content was replaced before it begins anew',
  t => {
    for (const observed of observations()) {
      const all = kinds(observed)
      if (ENDS.includes(all.at(-1)!)) t.notOk(all.includes('unread'))
      if (observed.sight.kind === 'replaced') t.strictSame(all, [all[0], ...(all[0] === 'replaced' ? ['looked'] : [])])
    }
    t.end()
  },
)

t.test('only a file that needs a comparison is taken for a copy', t => {
  for (const observed of observations()) {
    const displaced = kinds(observed).includes('displaced')
    const needed = needsComparison(observed.sight, observed.emptied)
    const isNoise = observed.noise && observed.sight.kind === 'replaced'
    t.equal(displaced, needed && (observed.copied || isNoise), JSON.stringify(observed))
  }
  t.end()
})

t.test('what was written is told, and what is to be read is offered behind it', t => {
  const plain = { begins: true, emptied: false, copied: false, noise: false, packed: false }
  const intact = (unread: boolean, changed: boolean) => ({
    ...plain,
    sight: { kind: 'intact' as const, unread, changed },
  })
  t.strictSame(decide(intact(true, true)), [{ kind: 'written', begins: true }, { kind: 'unread' }, { kind: 'looked' }])
  t.strictSame(decide(intact(false, false)), [{ kind: 'looked' }])
  t.strictSame(decide({ ...intact(true, true), emptied: true }), [
    { kind: 'genuine' },
    { kind: 'written', begins: true },
    { kind: 'unread' },
    { kind: 'looked' },
  ])
  t.strictSame(decide({ ...intact(true, true), packed: true }), [{ kind: 'written', begins: true }, { kind: 'packed' }])
  t.strictSame(decide({ ...plain, sight: { kind: 'shortened', bytes: 7 } })[0], { kind: 'shortened', bytes: 7 })
  t.end()
})
