/**
 * A bare loop, to compare the ordinary day with: so many times a second it stats a file, reads what is new of it and
 * posts that over a connection of its own, as little as any program can do that ships a log. A process of its own.
 *
 *     node test/bench/bare.ts FILE PORT TIMES
 */
import { openSync, readSync, statSync } from 'node:fs'
import { connect } from 'node:net'

const [, , path = '', port = '', times = ''] = process.argv
const file = openSync(path, 'r')
const body = Buffer.alloc(1024 * 1024)
let at = 0
const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true }, () => {
  setInterval(turn, 1000 / Number(times))
})
socket.on('data', () => {})

function turn(): void {
  const fresh = Math.min(statSync(path).size - at, body.length)
  if (fresh <= 0) return
  const got = readSync(file, body, 0, fresh, at)
  at += got
  socket.cork()
  socket.write(`POST /ingest HTTP/1.1\r\nhost: bench\r\ncontent-length: ${got}\r\n\r\n`)
  // A copy: what has not gone out yet must not become what is read next.
  socket.write(Buffer.from(body.subarray(0, got)))
  socket.uncork()
}
