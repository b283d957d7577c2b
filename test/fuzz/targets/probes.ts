/**
 * What any process in the pod's network can send to the probe port, and every container of the pod to the admin port.
 * Whatever it is, the socket ends, and the kubelet is answered on the next one.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { startServer } from '../../../src/server/server.ts'
import { ask, Stage } from '../../server/rig.ts'
import { Journal } from '../../tail/rig.ts'
import type { Target } from '../target.ts'

const request = (line: string, ...headers: string[]) =>
  Buffer.from(`${[line, 'Host: 127.0.0.1', ...headers].join('\r\n')}\r\n\r\n`)

export async function probes(): Promise<Target> {
  const stage = new Stage()
  const server = await startServer({ port: 0, admin: { host: '127.0.0.1', port: 0 } }, stage, new Journal())
  const { port, adminPort } = server.ports
  /** Writes it, ends, and waits until the other side has ended as well. */
  const send = async (to: number, input: Buffer): Promise<Buffer> => {
    const socket = connect(to, '127.0.0.1')
    const parts: Buffer[] = []
    socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {})
    socket.end(input)
    await once(socket, 'close')
    return Buffer.concat(parts)
  }
  return {
    name: 'probes',
    covers: ['/src/server/'],
    seeds: [
      ...['/livez', '/readyz', '/startupz', '/health', '/metrics', '/prestop', '/status', '/ledger', '/'].map(path =>
        request(`GET ${path} HTTP/1.1`),
      ),
      request('GET /livez HTTP/1.0'),
      request('POST /prestop HTTP/1.1', 'Content-Length: 3'),
      request('GET /metrics HTTP/1.1', 'Accept-Encoding: gzip', 'Accept: application/openmetrics-text'),
      request('GET /metrics HTTP/1.1', 'Transfer-Encoding: chunked'),
    ],
    words: [
      'GET ',
      ' HTTP/1.1\r\n',
      '\r\n\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\n',
      'Connection: keep-alive\r\n',
      'Upgrade: h2c\r\n',
      'Expect: 100-continue\r\n',
      'Host: evil\r\n',
      '/../',
      '%00',
      '?x=',
      '//',
      '*',
    ],
    async run(input) {
      for (const at of [port, adminPort]) {
        if (at === undefined) continue
        const answer = await send(at, input)
        if (answer.length > 0)
          assert.match(answer.subarray(0, 13).toString(), /^HTTP\/1\.1 \d{3} /, 'an answer is HTTP')
      }
      assert.equal((await ask(port!, '/livez')).status, 200, 'the kubelet is answered')
    },
    close: () => server.close(),
  }
}
