/**
 * A hostile neighbour, as a process of its own: `node neighbour.ts SEED PORT ADMIN-PORT`, in a directory that it may write
 * to and that one source reaches. Does one thing after the other, at random, until it is killed; prints the name of each.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { random } from '../torture/program.ts'

const [seed, port, adminPort, secrets] = process.argv.slice(2)
const next = random(Number(seed))
const below = (limit: number) => Math.floor(next() * limit)
const MIB = 1024 ** 2

process.umask(0)

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // Another thing that it did is in the way.
  }
}

/** What a link may lead to. */
const TARGETS = [
  secrets!,
  `${secrets}/token.log`,
  '/proc/self/environ',
  '/proc/self/mem',
  '/dev/zero',
  '/etc',
  '/nowhere',
]

const HEAD = 'app: a first line that is known\n'
const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
const BOMBS = [
  ['gz', gzipSync(Buffer.concat([Buffer.from(HEAD), Buffer.alloc(48 * MIB, 'app\n')]))],
  ['zst', zstdCompressSync(Buffer.concat([Buffer.from(HEAD), Buffer.alloc(48 * MIB, 'app\n')]), { params })],
] as const

/** Connections that never read, or never ask. */
function rude(to: number, path: string): void {
  const socket = connect(to, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(2000))
  setTimeout(() => socket.destroy(), 3000).unref()
}

const DEEDS: Record<string, () => void | Promise<void>> = {
  lines() {
    for (let n = 0; n < 20; n++) attempt(() => appendFileSync(`log-${below(5)}.log`, `app: line ${n}\n`.repeat(200)))
  },
  rotates() {
    for (let n = 0; n < 5; n++) attempt(() => renameSync(`log-${n}.log`, `log-${n}.log.${below(4)}`))
    for (let n = 0; n < 5; n++) attempt(() => truncateSync(`log-${n}.log`))
  },
  swapsFiles() {
    attempt(() => writeFileSync('plain', 'app: swapped\n'))
    attempt(() => symlinkSync(TARGETS[below(TARGETS.length)]!, 'link'))
    for (let n = 0; n < 3000; n++) {
      for (const each of ['plain', 'link']) {
        attempt(() => renameSync(each, 'swapped.log'))
        attempt(() => renameSync('swapped.log', each))
      }
    }
    attempt(() => rmSync('link'))
  },
  swapsDirectories() {
    attempt(() => mkdirSync('real'))
    attempt(() => writeFileSync('real/token.log', HEAD))
    attempt(() => symlinkSync(secrets!, 'elsewhere'))
    for (let n = 0; n < 2000; n++) {
      for (const each of ['real', 'elsewhere']) {
        attempt(() => renameSync(each, 'directory'))
        if (n % 50 === 0) attempt(() => truncateSync('directory/token.log'))
        attempt(() => renameSync('directory', each))
      }
    }
  },
  stormOfRenames() {
    for (const each of ['one', 'two']) attempt(() => mkdirSync(each))
    for (let n = 0; n < 4000; n++) {
      attempt(() => renameSync('one', 'three'))
      attempt(() => renameSync('two', 'one'))
      attempt(() => renameSync('three', 'two'))
    }
  },
  oddThings() {
    for (const [n, target] of TARGETS.entries()) attempt(() => symlinkSync(target, `odd-${n}.log`))
    attempt(() => execFileSync('mkfifo', ['fifo.log', 'fifo.log.1', '.logshipper'], { stdio: 'ignore' }))
  },
  hugeNames() {
    for (let n = 0; n < 300; n++) attempt(() => writeFileSync(`${'1-'.repeat(120)}${n}.log`, `app: ${n}\n`))
    for (let n = 0; n < 300; n++) attempt(() => writeFileSync(`${'\u001b[2J\n'.repeat(30)}${n}.log`, `app: ${n}\n`))
  },
  crowdOfFiles() {
    attempt(() => mkdirSync('crowd', { recursive: true }))
    for (let n = 0; n < 3000; n++) attempt(() => writeFileSync(`crowd/${n}.log`, `app: ${n}\n`))
  },
  crowdOfDirectories() {
    for (let n = 0; n < 1000; n++) attempt(() => mkdirSync(`directories/${n}`, { recursive: true }))
    attempt(() => mkdirSync(`deep/${'d/'.repeat(500)}`, { recursive: true }))
  },
  holes() {
    for (let n = 0; n < 5; n++) attempt(() => writeFileSync(`sparse-${n}.log`, 'app: before\n'))
    for (let n = 0; n < 5; n++) attempt(() => truncateSync(`sparse-${n}.log`, 2 ** 40))
    attempt(() => appendFileSync(`sparse-${below(5)}.log`, 'app: behind\n'))
  },
  longLine() {
    attempt(() => appendFileSync('long.log', Buffer.alloc(24 * MIB, 'app:')))
  },
  bombs() {
    attempt(() => writeFileSync('bomb.log', `${HEAD}app: second\n`))
    for (const [suffix, bytes] of BOMBS) {
      for (let n = 1; n < 4; n++) attempt(() => writeFileSync(`bomb.log.${n}.${suffix}`, bytes))
    }
    attempt(() => rmSync('bomb.log'))
  },
  async probes() {
    for (let n = 0; n < 20; n++) {
      rude(Number(port), ['/metrics', '/health', '/livez'][n % 3]!)
      rude(Number(adminPort), ['/', '/status', '/ledger'][n % 3]!)
    }
    await sleep(500)
  },
  async prestop() {
    const calls = Array.from({ length: 100 }, () => fetch(`http://127.0.0.1:${port}/prestop`).catch(() => {}))
    await Promise.all(calls)
  },
  clears() {
    for (const name of readdirSync('.')) {
      if (!name.startsWith('log-') && below(2) === 0) attempt(() => rmSync(name, { recursive: true }))
    }
  },
}

for (;;) {
  const names = Object.keys(DEEDS)
  const name = names[below(names.length)]!
  process.stdout.write(`${name}\n`)
  await DEEDS[name]!()
  await sleep(below(400))
}
