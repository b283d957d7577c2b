/** What a start costs beside thousands of files that were removed and made anew while the program was down, or are meanwhile. */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scratch } from '../scratch.ts'
import { Room, source } from '../tail/rig.ts'

t.setTimeout(600_000)

/** Milliseconds that our own thread has worked. */
function worked(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (user + system) / 1000
}

interface Start {
  /** What it took in all, and what its longest turn took, in which nothing else was done: milliseconds of work. */
  readonly all: number
  readonly longest: number
}

interface Beside {
  readonly content: (n: number) => string
  /** What happens to the directory of `count` files between two turns of the start, `turn` of which it has had. */
  readonly meanwhile?: (directory: string, count: number, turn: number) => void
}

/** A start beside `count` files in one directory, of which every second one is another than before. */
async function startBeside(t: Test, count: number, { content, meanwhile }: Beside): Promise<Start> {
  const base = scratch(t, { logs: {}, state: {} })
  const logs = join(base, 'logs')
  const options = { sources: [source(join(logs, '*.log'))], state: join(base, 'state') }
  const write = (n: number) => writeFileSync(join(logs, `${n}.log`), content(n))
  for (let n = 0; n < count; n++) write(n)
  const before = new Room(options)
  await before.tail.start()
  await before.came(count)
  await before.stop()
  for (let n = 0; n < count; n += 2) rmSync(join(logs, `${n}.log`))
  for (let n = 0; n < count; n += 2) write(n + count)
  const room = new Room(options)
  let longest = 0
  let last = worked()
  let others = 0
  const from = last
  const look = () => {
    longest = Math.max(longest, worked() - last)
    last = worked()
  }
  let going = true
  let turns = 0
  const turn = () => {
    look()
    if (!going) return
    meanwhile?.(logs, count, turns++)
    others += worked() - last
    last = worked()
    setImmediate(turn)
  }
  setImmediate(turn)
  await room.tail.start()
  look()
  going = false
  const all = worked() - from - others
  if (!meanwhile) t.ok(await room.until(() => room.lines.length >= count / 4), 'what is new is read')
  await room.stop()
  return { all, longest }
}

const BESIDE: Record<string, Beside> = {
  'that begin in ways of their own': { content: n => `line of ${n}\n` },
  'that all begin alike': { content: n => `${'a banner '.repeat(120)}\n${n}\n` },
  'that begin with lines of many lengths': { content: n => `${'x'.repeat(n % 1000)}\n` },
  'that are removed and made anew meanwhile': {
    content: n => `line of ${n}\n`,
    meanwhile(directory, count, turn) {
      if (turn % 8 !== 3 || turn > 32) return
      for (const name of readdirSync(directory)) rmSync(join(directory, name))
      for (let n = 0; n < count; n++) writeFileSync(join(directory, `${n}.log`), `line of ${n} in turn ${turn}\n`)
    },
  },
  'that are renamed meanwhile, again and again': {
    content: n => `line of ${n}\n`,
    meanwhile(directory, _, turn) {
      if (turn % 2 === 0 || turn > 8) return
      for (const name of readdirSync(directory)) {
        const other = name.endsWith('.log') ? `${name}.1` : name.slice(0, -2)
        renameSync(join(directory, name), join(directory, other))
      }
    },
  },
}

for (const [what, beside] of Object.entries(BESIDE)) {
  t.test(`four times as many files ${what} cost no more than that, and not in one turn`, async t => {
    await startBeside(t, 50, beside)
    const few = await startBeside(t, 150, beside)
    const many = await startBeside(t, 600, beside)
    t.ok(many.all < few.all * 10, `${few.all} and ${many.all} ms of work`)
    t.ok(many.longest < many.all / 2, `${many.longest} of ${many.all} ms of work in one turn`)
  })
}
