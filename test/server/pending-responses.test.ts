import type { Socket } from 'node:net'
import t from 'tap'
import { PendingResponses } from '../../src/server/pending-responses.ts'

/** All that the account of answers knows of a socket. */
function socket(): Socket {
  const made = { destroyed: false, destroy: () => void (made.destroyed = true) }
  return made as unknown as Socket
}

t.test('a connection has one pending response: asking again before it was given ends the connection', t => {
  const pending = new PendingResponses(1000)
  const client = socket()
  t.ok(pending.begin(client))
  pending.answer(client, 10)
  pending.end(client)
  t.ok(pending.begin(client), 'one after the other is well')
  t.notOk(pending.begin(client))
  t.ok(client.destroyed)
  pending.end(client)
  t.notOk(pending.begin(client), 'and what the parser still holds of it is not answered')
  t.end()
})

t.test('beyond the bound on bytes the connection that has been waiting the longest gives way', t => {
  const pending = new PendingResponses(1000)
  const [asking, slow, slower, quick] = [socket(), socket(), socket(), socket()] as const
  for (const client of [asking, slow, slower, quick]) pending.begin(client)
  pending.answer(slow, 400)
  pending.answer(slower, 400)
  t.notOk(slow.destroyed)
  pending.answer(quick, 400)
  t.strictSame(
    [asking, slow, slower, quick].map(({ destroyed }) => destroyed),
    [false, true, false, false],
    'one without a response yet stays',
  )
  pending.end(slow)
  pending.end(quick)
  pending.answer(asking, 600)
  t.notOk(slower.destroyed, 'what was written is pending no more, and is not subtracted twice')
  t.end()
})

t.test('an answer that is larger than the bound is given all the same', t => {
  const pending = new PendingResponses(1000)
  const client = socket()
  pending.begin(client)
  pending.answer(client, 5000)
  t.notOk(client.destroyed)
  t.end()
})
