/** What is counted of requests: each once, under as many labels as there may be. */
import t from 'tap'
import { DeliveryStats, DURATION_BOUNDS, SIZE_BOUNDS } from '../../../src/delivery/outcome/stats.ts'

t.test('a request is counted by the class of its status and by what came of it', t => {
  const stats = new DeliveryStats()
  stats.request(200, 'delivered', 0.001, 100)
  stats.request(204, 'delivered', 0.001, 100)
  stats.request(503, 'retry', 0.001, 100)
  stats.request(undefined, 'retry', 0.001, 100)
  stats.request(99, 'retry', 0.001, 100)
  t.strictSame(
    [...stats.requests].map(({ status, verdict, count }) => [status, verdict, count]),
    [
      ['2xx', 'delivered', 2],
      ['5xx', 'retry', 2],
      ['none', 'retry', 1],
    ],
    'a status that is none is a fault of the server',
  )
  t.end()
})

t.test('a duration falls into the bucket whose bound it does not exceed, or into the last one', t => {
  const stats = new DeliveryStats()
  for (const bound of DURATION_BOUNDS) stats.request(200, 'delivered', bound, 100)
  stats.request(200, 'delivered', 31, 100)
  t.strictSame(stats.durations, [...DURATION_BOUNDS.map(() => 1), 1])
  t.equal(
    stats.durationSeconds,
    DURATION_BOUNDS.reduce((sum, bound) => sum + bound, 31),
  )
  t.end()
})

t.test('so does a size, whatever came of the request', t => {
  const stats = new DeliveryStats()
  for (const bound of SIZE_BOUNDS) stats.request(undefined, 'retry', 0, bound)
  stats.request(200, 'delivered', 0, 2 ** 30)
  t.strictSame(stats.sizes, [...SIZE_BOUNDS.map(() => 1), 1])
  t.equal(
    stats.sizeBytes,
    SIZE_BOUNDS.reduce((sum, bound) => sum + bound, 2 ** 30),
  )
  t.end()
})

t.test('reasons are what servers say: beyond a number of them they are counted together', t => {
  const stats = new DeliveryStats()
  for (let n = 0; n < 1000; n++) stats.retry(`http_${n}`)
  stats.retry('http_0')
  t.equal(stats.retries.size, 65)
  t.equal(stats.retries.get('http_0'), 2, 'one that is known goes on')
  t.equal(stats.retries.get('other'), 936)
  t.end()
})
