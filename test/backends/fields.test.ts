import t from 'tap'
import {
  attributesOf,
  epochSeconds,
  firstOf,
  flags,
  flagTexts,
  idPrefix,
  joined,
  literal,
} from '../../src/backends/fields.ts'
import { Arena, type FileLines, origin } from '../delivery/rig.ts'
import { METADATA } from './rig.ts'

const chunkOf = (run: Partial<FileLines> = {}) => new Arena().slab({ lines: ['a'], ...run }).chunks[0]!

t.test('the first that names something has it, and what has no value names nothing', t => {
  t.same(firstOf({ a: undefined, b: '1' }, { a: '2', b: '3' }, { c: '' }), [
    ['b', '1'],
    ['a', '2'],
    ['c', ''],
  ])
  t.end()
})

t.test('a label of the source takes the place of none of our attributes, and goes before one of the pod', t => {
  const labels = { pod: 'forged', 'app.kubernetes.io/name': 'ours' }
  const known = Object.fromEntries(attributesOf(chunkOf({ origin: origin('/a.log', labels) }), METADATA))
  t.match(known, { pod: 'web-1', 'app.kubernetes.io/name': 'ours', source: 'app', file: '/a.log' })
  t.notOk('serviceAccount' in known, 'what is not known is not said')
  t.end()
})

t.test('a record says that it was cut, and that it has no line end, only if that is so', t => {
  t.same(flags(chunkOf()), [])
  t.same(flags(chunkOf({ cutFrom: 99 })), [
    ['truncated', true],
    ['originalBytes', 99],
  ])
  t.same(flagTexts(chunkOf({ partial: true })), [['partial', 'true']])
  t.end()
})

t.test('the same file in another pod has other ids', t => {
  const chunk = chunkOf()
  const { generation } = chunk.origin
  t.equal(idPrefix(chunk, METADATA), `7f3e-${generation}-`)
  t.equal(idPrefix(chunk, { ...METADATA, podUid: undefined }), `${generation}-`)
  t.end()
})

t.test('a time in seconds has three decimals', t => {
  const chunk = chunkOf()
  chunk.recordTimeNanos = 1_700_000_000_007_999_999n
  t.equal(epochSeconds(chunk), '1700000000.007')
  t.end()
})

t.test('literals that follow each other are one', t => {
  t.same(joined([literal('a'), literal('b'), { kind: 'message' }, literal('c')]), [
    literal('ab'),
    { kind: 'message' },
    literal('c'),
  ])
  t.end()
})
