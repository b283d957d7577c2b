/**
 * What finding times and levels costs: seconds of one core per GiB of input, the best of some rounds for each MiB.
 *
 *     node test/bench/times.ts [ROUNDS]
 */
import { crc32 } from 'node:zlib'
import { Kernel } from '../../src/kernel/kernel.ts'
import { LAYOUT } from '../../src/kernel/module.ts'
import { compileLevel } from '../../src/process/level/compile.ts'
import { compileTime } from '../../src/process/time/compile.ts'
import type { TimeOptions } from '../../src/process/time/options.ts'

const MIB = 1024 * 1024
const ROUNDS = Number(process.argv[2] ?? 15)
const MOST_LINES = 32_768
const ROW = LAYOUT.ROW_SLOTS + 2 * LAYOUT.SLOT
const FROM = Date.UTC(2024, 0, 2, 3)

const iso = (at: number) => new Date(at).toISOString()
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = (at: number) => MONTHS[new Date(at).getUTCMonth()]
const LEVELS = ['DEBUG', 'INFO ', 'INFO ', 'WARN ', 'ERROR']

/** Lines of an application that writes some hundred a second. */
const KINDS: Record<string, (at: number, n: number) => string> = {
  java: (at, n) =>
    `${iso(at).replace('T', ' ').replace('.', ',').slice(0, 23)} ${LEVELS[n % 5]} [worker-${n % 16}] com.example.order.OrderService - order state changed: pending -> paid, order=${n}`,
  nginx: (at, n) =>
    `10.0.${n % 256}.7 - - [${iso(at).slice(8, 10)}/${month(at)}/${iso(at).slice(0, 4)}:${iso(at).slice(11, 19)} +0000] "GET /api/v1/orders/${n} HTTP/1.1" 200 ${n % 9000} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"`,
  prose: (at, n) =>
    `${iso(at)} the request for order ${n} was completed by the upstream after a retry, and the connection goes back to the pool of idle ones now`,
}

const kernel = Kernel.create(8 * MIB, MIB)
const [ends, rows] = [kernel.arena, kernel.arena + 4 * MOST_LINES]
const start = rows + ROW * MOST_LINES
const refuse = (problem: unknown) => {
  throw new Error(JSON.stringify(problem))
}

function best(run: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const since = performance.now()
    run()
    least = Math.min(least, performance.now() - since)
  }
  return least / 1000
}

for (const [kind, write] of Object.entries(KINDS)) {
  let text = ''
  for (let n = 0; text.length < MIB; n++) text += `${write(FROM + 3 * n, n)}\n`
  const bytes = Buffer.from(text.slice(0, text.lastIndexOf('\n', MIB) + 1))
  kernel.bytes.set(bytes, start)
  const count = kernel.frames(start, start + bytes.length, ends, MOST_LINES)
  const filling = { ends, first: 0, count, start, rows, row: ROW }
  const clear = () => void kernel.extract({ ...filling, table: 0, atFileStart: false })
  const timing = { base: 0, column: 0, salt: 0, readAt: Date.now() }
  const cleared = best(clear)
  const report = (name: string, seconds: number, missing: number): void => {
    const perGib = (seconds * 1024 * MIB) / bytes.length
    const line = Math.round((seconds * 1e9) / count)
    const share = Math.round((100 * missing) / count)
    console.log(
      `${kind.padEnd(6)} ${name.padEnd(34)} ${perGib.toFixed(3)} s/GiB ${`${line}`.padStart(4)} ns/line, ${share} % without`,
    )
  }
  report(
    'crc32',
    best(() => crc32(bytes)),
    0,
  )
  const times: [string, TimeOptions['time']][] = [
    ['time: auto', 'auto'],
    ['time: auto, Europe/Berlin', { zone: 'Europe/Berlin' }],
    ['%Y-%m-%d %H:%M:%S,%f', { format: '%Y-%m-%d %H:%M:%S,%f' }],
    ['clf', { format: 'clf' }],
  ]
  for (const [name, time] of times) {
    const address = kernel.lay(compileTime({ time }, undefined, refuse)!.table)
    let missing = 0
    const seconds = best(() => {
      clear()
      const untimed = kernel.times(address, filling, timing)
      missing = untimed.missing + untimed.unreadable
    })
    report(name, seconds - cleared, missing)
  }
  const level = kernel.lay(compileLevel({ level: 'text' }, undefined, refuse)!.table)
  let missing = 0
  const seconds = best(() => {
    clear()
    missing = kernel.levels(level, filling).missing
  })
  report('level: text', seconds - cleared, missing)
}
