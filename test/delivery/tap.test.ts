/** What becomes of records on their way to a real receiver, as the tap shows it. */
import t, { type Test } from 'tap'
import type { DeliveryFields } from '../../src/delivery/delivery.ts'
import { Tap, TapInlet } from '../../src/tap.ts'
import { Arena, answer, inTurn, type Received, Receiver, rig } from './rig.ts'

async function lay(t: Test, receiver: Receiver, fields: Partial<DeliveryFields> = {}) {
  const arena = new Arena()
  const tap = new Tap(true)
  const shown: string[] = []
  const filter = { source: undefined, backend: undefined, text: undefined }
  tap.open(filter, {
    onRecord: ({ verdict, reason, text }) => void shown.push([verdict, reason, text].filter(Boolean).join(' ')),
    onForbidden: () => {},
  })
  const inlet = new TapInlet(tap, 'main', arena.kernel.bytes)
  const { delivery, transport } = rig(await receiver.listen(), {}, {}, { tap: inlet, ...fields }, arena)
  t.teardown(async () => {
    delivery.stop()
    await transport.close()
    await receiver.close()
  })
  return { arena, delivery, shown }
}

t.test('records are delivered, and before that retried for as long as requests fail', async t => {
  const receiver = new Receiver(inTurn(answer(503), answer(429), answer(204)))
  const { arena, delivery, shown } = await lay(t, receiver)
  await delivery.ship(arena.slab({ lines: ['one', 'two'] }))
  t.strictSame(shown, [
    ...['retried http_503 one', 'retried http_503 two', 'retried http_429 one', 'retried http_429 two'],
    ...['delivered one', 'delivered two'],
  ])
})

t.test(
  'a record that is refused among others is searched for: each is shown retried, and then how it ended',
  async t => {
    const refusing = new Receiver(({ body }: Received, response) =>
      response.writeHead(body.includes('bad') ? 400 : 204).end(),
    )
    const { arena, delivery, shown } = await lay(t, refusing)
    await delivery.ship(arena.slab({ lines: ['one', 'bad', 'two', 'three'] }))
    const ends = shown.filter(each => !each.startsWith('retried'))
    t.strictSame(ends.sort(), ['delivered one', 'delivered three', 'delivered two', 'rejected http_400 bad'])
    t.strictSame(
      shown.slice(0, 4),
      ['one', 'bad', 'two', 'three'].map(text => `retried http_400 ${text}`),
    )
    t.equal(arena.outcome.delivered.lines + arena.outcome.rejected['http_400']!.lines, 4, 'and so says the ledger')
  },
)

t.test(
  'where the first refusal is the last, as in a replay, a record is rejected and not shown as retried',
  async t => {
    const { arena, delivery, shown } = await lay(t, new Receiver(answer(400)), { final: true })
    await delivery.ship(arena.slab({ lines: ['bad'] }))
    t.strictSame(shown, ['rejected http_400 bad'])
  },
)
