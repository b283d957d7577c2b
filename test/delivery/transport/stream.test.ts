import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { StreamTransport } from '../../../src/delivery/transport/stream.ts'
import type { HttpRequest } from '../../../src/delivery/transport/transport.ts'

const request = (body: Buffer): HttpRequest => ({
  head: { method: 'WRITE', path: '', headers: {} },
  contentType: 'text/plain',
  encoding: undefined,
  body,
})

/**
 * Runs `script` in a process of its own whose output is piped as `shape` says; it has `StreamTransport` and `request`.
 * A shell makes real pipes, where spawn alone would make sockets.
 */
function running(shape: (node: string) => string, script: string): ChildProcess {
  const source = `
    import { StreamTransport } from ${JSON.stringify(new URL('../../../src/delivery/transport/stream.ts', import.meta.url).href)}
    const head = { method: 'WRITE', path: '', headers: {} }
    const request = body => ({ head, contentType: 'text/plain', encoding: undefined, body })
    ${script}`
  return spawn('/bin/sh', ['-c', shape('"$0" --input-type=module -e "$1"'), process.execPath, source], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
}

t.test('a file gets every payload whole and in order, however many are sent at once', async t => {
  const path = join(mkdtempSync(join(tmpdir(), 'stream-')), 'out')
  const fd = openSync(path, 'w')
  const stream = new StreamTransport({ fd, closed: () => t.fail('not closed') })
  const bodies = Array.from({ length: 50 }, (_, index) => Buffer.alloc(10_000, `${index}\n`))
  const replies = await Promise.all(bodies.map(body => stream.send(request(body))))
  t.ok(replies.every(({ kind }) => kind === 'answer'))
  t.same(readFileSync(path), Buffer.concat(bodies))
  await stream.close()
  closeSync(fd)
})

t.test('a pipe gets them too, at the reader’s pace', async t => {
  const child = running(
    node => `${node} | cat`,
    `const stream = new StreamTransport({ fd: 1, closed() {} })
    const replies = await Promise.all([1, 2, 3].map(n => stream.send(request(Buffer.alloc(1 << 20, String(n))))))
    console.error(replies.map(({ kind }) => kind).join())
    await stream.close()`,
  )
  const [output, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  t.equal(errors.trim(), 'answer,answer,answer')
  t.equal(output, ['1', '2', '3'].map(digit => digit.repeat(1 << 20)).join(''))
})

t.test('a reader that has gone is told to the owner once', async t => {
  const child = running(
    node => `${node} | head -c 5`,
    `const stream = new StreamTransport({ fd: 1, closed() { console.error('closed') } })
    for (let n = 0; n < 3; n++) console.error((await stream.send(request(Buffer.alloc(1 << 20, 'x')))).code)`,
  )
  const errors = await text(child.stderr!)
  t.same(errors.trim().split('\n'), ['closed', 'EPIPE', 'ABORTED', 'ABORTED'])
})

t.test('a reader that has stopped reading cannot keep the process from ending', async t => {
  const child = running(
    node => `(${node}; echo ended >&2) | sleep 30`,
    `const stream = new StreamTransport({ fd: 1, closed() {} })
    const sending = stream.send(request(Buffer.alloc(1 << 20, 'x')))
    setTimeout(() => stream.abort(), 100)
    console.error((await sending).code)
    process.exit()`,
  )
  let said = ''
  child.stderr!.on('data', part => {
    said += part
  })
  for (let wait = 0; wait < 100 && !said.includes('ended'); wait++) await sleep(50)
  process.kill(-child.pid!, 'SIGKILL')
  await once(child, 'close')
  t.same(said.trim().split('\n'), ['ABORTED', 'ended'])
})

t.test('a descriptor that cannot be written is a failure with its code', async t => {
  const fd = openSync('/dev/full', 'w')
  const stream = new StreamTransport({ fd, closed: () => t.fail('not closed') })
  t.same(await stream.send(request(Buffer.from('x'))), { kind: 'failure', code: 'ENOSPC', sentBefore: true })
  closeSync(fd)
})
