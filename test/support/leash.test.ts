/** What a test leaves running when it is killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { until } from '../program.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A test that starts two programs, ends the first, and says who they are. */
const SCRIPT = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { leash } from '${join(import.meta.dirname, 'leash.ts')}'
const programs = [1, 2].map(() => spawn('sleep', ['1000'], { stdio: 'ignore' }))
for (const program of programs) leash(program)
programs[0].kill()
await once(programs[0], 'exit')
console.log(programs[1].pid)
`

t.test('a program that a test started does not outlive the test that is killed', async t => {
  const test = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 2],
  })
  t.teardown(() => test.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: test.stdout! }), 'line')) as [string]
  const runs = () => existsSync(`/proc/${line}/stat`)
  t.ok(runs())
  test.kill('SIGKILL')
  t.ok(await until(() => !runs()), 'it is killed too')
})

t.test('a test that ends in order does not wait for its watcher', async t => {
  const script = `${SCRIPT}\nprograms[1].kill()`
  const test = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 2],
  })
  t.strictSame(await once(test, 'exit'), [0, null])
})
