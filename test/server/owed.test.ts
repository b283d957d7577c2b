import type { Socket } from 'node:net'
import t from 'tap'
import { Owed } from '../../src/server/owed.ts'

/** All that the account of answers knows of a socket. */
function socket(): Socket {
  const made = { destroyed: false, destroy: () => void (made.destroyed = true) }
  return made as unknown as Socket
}

t.test('a connection is owed one answer: asking again before it was given ends the connection', t => {
  const owed = new Owed(1000)
  const client = socket()
  t.ok(owed.begin(client))
  owed.answer(client, 10)
  owed.end(client)
  t.ok(owed.begin(client), 'one after the other is well')
  t.notOk(owed.begin(client))
  t.ok(client.destroyed)
  owed.end(client)
  t.notOk(owed.begin(client), 'and what the parser still holds of it is not answered')
  t.end()
})

t.test('beyond the bound on bytes the connection that has been waiting the longest gives way', t => {
  const owed = new Owed(1000)
  const [asking, slow, slower, quick] = [socket(), socket(), socket(), socket()] as const
  for (const client of [asking, slow, slower, quick]) owed.begin(client)
  owed.answer(slow, 400)
  owed.answer(slower, 400)
  t.notOk(slow.destroyed)
  owed.answer(quick, 400)
  t.strictSame(
    [asking, slow, slower, quick].map(({ destroyed }) => destroyed),
    [false, true, false, false],
    'one that is owed nothing yet stays',
  )
  owed.end(slow)
  owed.end(quick)
  owed.answer(asking, 600)
  t.notOk(slower.destroyed, 'what was given is owed no more, and is not taken off twice')
  t.end()
})

t.test('an answer that is larger than the bound is given all the same', t => {
  const owed = new Owed(1000)
  const client = socket()
  owed.begin(client)
  owed.answer(client, 5000)
  t.notOk(client.destroyed)
  t.end()
})
