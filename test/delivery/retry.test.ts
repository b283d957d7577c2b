import t from 'tap'
import { backoff, LONGEST_RETRY_AFTER, retryAfter, SHORTEST_WAIT } from '../../src/delivery/retry.ts'

const OPTIONS = { initial: 500, max: 30_000 }

t.test('the bound of the wait doubles up to the maximum', async t => {
  const bounds = [1, 2, 3, 6, 7, 8, 5000].map(attempts => backoff(attempts, OPTIONS, () => 1))
  t.same(bounds, [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000])
})

t.test('the wait is drawn evenly from the whole range, but never vanishes', async t => {
  t.equal(
    backoff(3, OPTIONS, () => 0.25),
    500,
  )
  t.equal(
    backoff(3, OPTIONS, () => 0),
    SHORTEST_WAIT,
  )
})

t.test('Retry-After is read as seconds or as a date in any of the three forms', async t => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 7)
  t.equal(retryAfter('120', now), 120_000)
  t.equal(retryAfter(' 0 ', now), 0)
  t.equal(retryAfter('Sun, 06 Nov 1994 08:49:37 GMT', now), 30_000)
  t.equal(retryAfter('Sunday, 06-Nov-94 08:49:37 GMT', now), 30_000)
  t.equal(retryAfter('Sun Nov  6 08:49:37 1994', now), 30_000)
})

t.test('Retry-After in the past means now, and far in the future means five minutes', async t => {
  const now = Date.UTC(2026, 0, 1)
  t.equal(retryAfter('Sun, 06 Nov 1994 08:49:37 GMT', now), 0)
  t.equal(retryAfter('86400', now), LONGEST_RETRY_AFTER)
  t.equal(retryAfter('9'.repeat(400), now), LONGEST_RETRY_AFTER)
})

t.test('what is neither is as if it were not there', async t => {
  for (const field of [undefined, '', '-1', '1.5', 'soon', '12-3', 'Sun, never'])
    t.equal(retryAfter(field, 0), undefined)
})
