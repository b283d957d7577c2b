/**
 * The floor: what it costs any Node program on this machine to read a file from the page cache and to write it to a
 * socket in requests of 1 MiB, with nothing in between. A process of its own; prints its CPU seconds.
 *
 *     node test/bench/floor.ts FILE PORT
 */
import { openSync, readSync } from 'node:fs'
import { connect } from 'node:net'

const [, , path = '', port = ''] = process.argv
const BODY = 1024 * 1024
const READ = 256 * 1024

const body = Buffer.alloc(BODY)
const file = openSync(path, 'r')
const socket = connect(Number(port), '127.0.0.1', () => {
  const before = process.cpuUsage()
  let at = 0
  const next = (): void => {
    let got = 0
    while (got < BODY) {
      const n = readSync(file, body, got, Math.min(READ, BODY - got), at + got)
      if (n === 0) break
      got += n
    }
    at += got
    if (got === 0) {
      const { user, system } = process.cpuUsage(before)
      console.log((user + system) / 1e6)
      socket.destroy()
      return
    }
    socket.cork()
    socket.write(`POST / HTTP/1.1\r\nhost: bench\r\ncontent-length: ${got}\r\n\r\n`)
    socket.write(body.subarray(0, got))
    socket.uncork()
  }
  socket.on('data', next)
  next()
})
