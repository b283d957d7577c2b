/** The bench's log lines: an access log of about 190 bytes a line, some with quotes, backslashes and UTF-8. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { STAMP, STAMP_LENGTH } from './stamp.ts'

const PATHS = ['/api/cart', '/api/checkout?step=2', '/static/app.js', '/search?q=caf\u00e9', '/api/items/93842/reviews']
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'curl/8.5.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148',
  'kube-probe/1.31 \\"quoted\\" agent',
]

/** A stream of numbers that is the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
}

const two = (value: number) => String(value).padStart(2, '0')

/** About `size` bytes of whole lines. With `stamped` each has room for a stamp. */
export function block(size: number, stamped = false): Buffer {
  const next = random(42)
  const stamp = stamped ? `${STAMP}${'0'.repeat(STAMP_LENGTH - 1)} ` : ''
  let text = ''
  while (text.length < size) {
    const ip = `10.${next(256)}.${next(256)}.${next(256)}`
    const agent = AGENTS[next(AGENTS.length)]
    const clock = `${two(next(60))}:${two(next(60))}`
    text += `${stamp}${ip} - - [23/Nov/2026:10:${clock} +0000] "GET ${PATHS[next(PATHS.length)]} HTTP/1.1" `
    text += `200 ${next(99999)} "https://shop.example/${next(9999)}" "${agent}" ${next(1000)}\n`
  }
  return Buffer.from(text)
}

/** The same as an application says it that logs in JSON: about as long. */
export function jsonBlock(size: number): Buffer {
  const next = random(42)
  let text = ''
  while (text.length < size) {
    const line = {
      time: `2026-11-23T10:${String(next(60)).padStart(2, '0')}:00.${next(999)}Z`,
      level: 'info',
      msg: `GET ${PATHS[next(PATHS.length)]}`,
      status: 200,
      bytes: next(99999),
      client: `10.${next(256)}.${next(256)}.${next(256)}`,
      user: { id: next(9999), agent: 'Mozilla/5.0 (X11; Linux x86_64)' },
      seconds: next(1000) / 1000,
    }
    text += `${JSON.stringify(line)}\n`
  }
  return Buffer.from(text)
}

/**
 * What an application in Java writes: two records in a hundred have a stack of twelve lines, one has a password, and one
 * something that a filter drops.
 */
export function javaBlock(size: number): Buffer {
  const next = random(42)
  const levels = ['DEBUG', 'INFO ', 'INFO ', 'INFO ', 'WARN ', 'ERROR']
  const frames = Array.from(
    { length: 12 },
    (_, n) => `\tat com.example.shop.Order${n}.place(Order${n}.java:${40 + n})\n`,
  )
  let text = ''
  for (let n = 0; text.length < size; n++) {
    const time = `2026-11-23 10:${String(next(60)).padStart(2, '0')}:${String(next(60)).padStart(2, '0')},${next(900) + 100}`
    const said =
      n % 100 === 50 ? `login with password=${next(99999)}` : n % 100 === 20 ? 'GET /healthz' : 'state changed'
    text += `${time} ${levels[next(6)]} [worker-${next(16)}] com.example.shop.OrderService - ${said}, order=${next(99999)}\n`
    if (n % 50 === 7) text += `java.lang.IllegalStateException: no stock\n${frames.join('')}`
  }
  return Buffer.from(text)
}

/** Writes a file of `mib` MiB of whole lines. Returns its size. */
export function writeCorpus(path: string, mib: number, lines = block(8 * 1024 * 1024)): number {
  const file = openSync(path, 'w')
  let size = 0
  while (size < mib * 1024 * 1024) size += writeSync(file, lines)
  closeSync(file)
  return size
}
