/** What a start costs beside thousands of files that were removed and made anew while the program was down. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { scratch } from '../scratch.ts'
import { Room, source } from '../tail/rig.ts'

t.setTimeout(170_000)

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

/** A start beside `count` files in one directory, of which every second one is another than before. */
async function startBeside(t: Test, count: number, content: (n: number) => string): Promise<Start> {
  const base = scratch(t, { logs: {}, state: {} })
  const options = { sources: [source(join(base, 'logs/*.log'))], state: join(base, 'state') }
  const write = (n: number) => writeFileSync(join(base, 'logs', `${n}.log`), content(n))
  for (let n = 0; n < count; n++) write(n)
  const before = new Room(options)
  await before.tail.start()
  await before.came(count)
  await before.stop()
  for (let n = 0; n < count; n += 2) rmSync(join(base, 'logs', `${n}.log`))
  for (let n = 0; n < count; n += 2) write(n + count)
  const room = new Room(options)
  let longest = 0
  let last = worked()
  const from = last
  const look = () => {
    longest = Math.max(longest, worked() - last)
    last = worked()
  }
  let going = true
  const turn = () => {
    look()
    if (going) setImmediate(turn)
  }
  setImmediate(turn)
  await room.tail.start()
  look()
  going = false
  const all = worked() - from
  t.ok(await room.until(() => room.lines.length >= count / 4), 'what is new is read')
  await room.stop()
  return { all, longest }
}

const CONTENTS: Record<string, (n: number) => string> = {
  'that begin in ways of their own': n => `line of ${n}\n`,
  'that all begin alike': n => `${'a banner '.repeat(120)}\n${n}\n`,
  'that begin with lines of many lengths': n => `${'x'.repeat(n % 1000)}\n`,
}

for (const [what, content] of Object.entries(CONTENTS)) {
  t.test(`four times as many files ${what} cost no more than that, and not in one turn`, async t => {
    await startBeside(t, 50, content)
    const few = await startBeside(t, 150, content)
    const many = await startBeside(t, 600, content)
    t.ok(many.all < few.all * 10, `${few.all} and ${many.all} ms of work`)
    t.ok(many.longest < many.all / 2, `${many.longest} of ${many.all} ms of work in one turn`)
  })
}
