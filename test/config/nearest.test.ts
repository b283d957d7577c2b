import t from 'tap'
import { nearest } from '../../src/config/nearest.ts'

t.test('a slip of the hand finds the word that was meant, anything else finds none', async t => {
  const words = ['paths', 'labels', 'maxBytes', 'maxRecords', 'exclude']
  const table: [string, string | undefined][] = [
    ['path', 'paths'],
    ['lables', 'labels'],
    ['max_bytes', 'maxBytes'],
    ['MAXBYTES', 'maxBytes'],
    ['maxbyte', 'maxBytes'],
    ['excludes', 'exclude'],
    ['multiline', undefined],
    ['x', undefined],
    ['', undefined],
    ['a'.repeat(10_000), undefined],
  ]
  for (const [word, meant] of table) t.equal(nearest(word, words), meant, word.slice(0, 20))
})
