/** A crowded directory of which few names are followed: what they hold arrives, whatever the others do. */
import { appendFileSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sleep, until } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Counter, LINE, start, Watch } from './scale.ts'
import { DIGITS } from './writer.ts'

const OTHERS = 10_000
const FOLLOWED = 10
const line = (number: number) =>
  `${String(number)
    .padStart(DIGITS, '0')
    .padEnd(LINE - 1, '.')}\n`

t.test('a few files among ten thousand other names, of which hundreds come and go each second', async t => {
  const dir = scratch(t, { logs: {} })
  const [logs, state] = [join(dir, 'logs'), join(dir, 'state')]
  mkdirSync(state)
  const other = (n: number) => join(logs, `request-${n}.tmp`)
  for (let n = 0; n < OTHERS; n++) writeFileSync(other(n), '')
  for (let n = 0; n < FOLLOWED; n++) writeFileSync(join(logs, `f${n}.log`), line(n))
  const counter = await Counter.start(t)
  const program = await start(t, { logs, state, url: counter.url })
  const watch = new Watch(t, program)
  t.ok(await until(() => counter.lines === FOLLOWED))
  let next = OTHERS
  let lines = FOLLOWED
  for (let turn = 0; turn < 400; turn++) {
    for (let n = 0; n < 3; n++, next++) {
      writeFileSync(other(next), '')
      unlinkSync(other(next - 100))
    }
    if (turn % 40 === 0) appendFileSync(join(logs, `f${turn % FOLLOWED}.log`), line(lines++))
    await sleep(10)
  }
  writeFileSync(join(logs, 'new.log'), line(lines++))
  t.ok(await until(() => counter.lines === lines), 'and what is followed arrives, new files too')
  watch.bounded(t, `${OTHERS} other names`)
  const { code } = await program.kill('SIGTERM')
  t.equal(code, 0)
})
