/** An identity that several transports use: how long it lives, and whom an abort concerns. */
import t from 'tap'
import { Identities } from '../../../src/delivery/identity/identities.ts'
import type { Identity, Obtained } from '../../../src/delivery/transport/identity.ts'

const CREDENTIAL: Obtained = { kind: 'credential', credential: { sign: () => ({ authorization: 'Bearer one' }) } }

/** An identity whose credential comes by hand, and how often each kind was made. */
function rig() {
  const identities = new Identities()
  const log: string[] = []
  const waiting: ((obtained: Obtained) => void)[] = []
  const make = (): Identity => {
    log.push('made')
    return {
      found: 'in a test',
      credential: () => new Promise(resolve => waiting.push(resolve)),
      answered: () => false,
      abort: () => void log.push('aborted'),
      close: async () => void log.push('closed'),
    }
  }
  return { log, waiting, share: (key: string) => identities.share(key, make) }
}

t.test('transports with equal keys share one, and it is closed with the last of them', async t => {
  const { log, share } = rig()
  const [one, two, other] = [share('a'), share('a'), share('b')]
  t.same(log, ['made', 'made'])
  await one.close()
  await one.close()
  t.same(log, ['made', 'made'], 'the other still uses it')
  await two.close()
  t.same(log, ['made', 'made', 'closed'])
  await other.close()
  share('a')
  t.same(log, ['made', 'made', 'closed', 'closed', 'made'])
})

t.test('a transport that is aborted does not wait, and the other gets its credential', async t => {
  const { log, waiting, share } = rig()
  const [one, two] = [share('a'), share('a')]
  const [first, second] = [one.credential(), two.credential()]
  one.abort()
  t.same(await first, { kind: 'failure', code: 'ABORTED' })
  t.same(await one.credential(), { kind: 'failure', code: 'ABORTED' })
  t.notOk(log.includes('aborted'))
  for (const resolve of waiting) resolve(CREDENTIAL)
  t.equal(await second, CREDENTIAL)
  two.abort()
  t.ok(log.includes('aborted'))
})
