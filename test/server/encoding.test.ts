/** Which clients take gzip, by what they send. */
import t from 'tap'
import { acceptsGzip } from '../../src/server/encoding.ts'

t.test('a client takes gzip that names it, or anything, with a weight', t => {
  for (const header of [
    'gzip',
    'GZip',
    'x-gzip',
    'deflate, gzip',
    'gzip;q=1.0, identity;q=0.5',
    'gzip ; q=0.001',
    'br;q=1.0,\tgzip;q=0.8, *;q=0.1',
    '*',
    'identity;q=0, *;q=0.5',
    'gzip;q=0.5, gzip',
    'zstd;level=3, gzip',
    // What Prometheus sends.
    'gzip,zstd;q=0.5',
  ])
    t.equal(acceptsGzip(header), true, JSON.stringify(header))
  t.end()
})

t.test('a client does not that names none, forbids it, or would rather have it as it is', t => {
  for (const header of [
    undefined,
    '',
    'identity',
    'deflate, br',
    'gzip;q=0',
    'gzip;q=0.000, *',
    '*;q=0',
    'gzip;q=0.5, identity',
    'gzip;q=0.5, identity;q=0.6',
  ])
    t.equal(acceptsGzip(header), false, JSON.stringify(header))
  t.end()
})

t.test('what is no header of that name is an answer as it is, however long it is', t => {
  for (const header of [
    'gzip;q=2',
    'gzip;q=-1',
    'gzip;q=',
    'gzip;q=0.5.5',
    'gzipped',
    'gzip deflate',
    ';q=1',
    ',,,',
    'gzip\u0000',
    'gzip'.padEnd(16_000, ';q=1'),
    `${'a,'.repeat(8000)}gzip`,
  ])
    t.equal(acceptsGzip(header), false, JSON.stringify(header.slice(0, 40)))
  t.end()
})
