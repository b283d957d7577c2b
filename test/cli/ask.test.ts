/** What another program of the pod answers on the admin port ends the question, and costs no memory. */
import t from 'tap'
import { ask } from '../../src/cli/ask.ts'
import { port } from './port.ts'

t.test('an answer comes as it is', async t => {
  const address = await port(t, (request, response) => response.end(`${request.method} ${request.url}`))
  t.strictSame(await ask(address, '/prestop', 'POST'), { kind: 'ok', body: 'POST /prestop' })
})

t.test('an answer without an end is given up once it is too long', async t => {
  const address = await port(t, (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(10_000)));
    }
    response.on('drain', more)
    more()
  })
  const why = `the answer of ${address} is longer than 100000 bytes`
  t.strictSame(await ask(address, '/status', 'GET', 100_000), { kind: 'failed', why })
})

t.test('an answer that breaks off, another status, and no program there are told apart', async t => {
  const broken = await port(t, (_, response) => {
    response.write('half')
    setImmediate(() => response.destroy())
  })
  t.match(await ask(broken, '/status'), { kind: 'failed', why: /was cut off|ECONNRESET/ })
  const other = await port(t, (_, response) => response.writeHead(404).end())
  t.match(await ask(other, '/status'), { kind: 'failed', why: /answers 404/ })
  t.match(await ask('127.0.0.1:1', '/status'), { kind: 'failed', why: /ECONNREFUSED/ })
  t.match(await ask('nowhere', '/status'), { kind: 'failed', why: /is not host:port/ })
})
