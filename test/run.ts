/**
 * `npm test`: runs tap with the arguments that are given, and says at the end which real components this machine lacked
 * and how to get them. The exit code is that of the tests.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { lines, missingIn } from './support/missing.ts'

const ROOT = join(import.meta.dirname, '..')
/** File systems may stamp in whole seconds. */
const began = Math.floor(Date.now() / 1000) * 1000
// Each file has a process of its own, whose start is most of what a short one costs.
const env = { NODE_COMPILE_CACHE: join(ROOT, '.tap/compile-cache'), ...process.env }
if (!tapIsBuilt()) spawnSync('tap', ['build'], { cwd: ROOT, stdio: 'inherit' })
const tap = spawn('tap', ['run', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit', env })
// A signal for the group reaches tap too; this process stays for its end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tap.kill(signal))
const [code, signal] = (await once(tap, 'exit')) as [number | null, NodeJS.Signals | null]
for (const line of lines(missingIn(join(ROOT, '.tap/test-results'), began))) process.stdout.write(`${line}\n`)
process.exitCode = code ?? (signal === null ? 1 : 128)

/** tap is compiled for the plugins that `.taprc` leaves it, which takes seconds: once after an installation is enough. */
function tapIsBuilt(): boolean {
  const built = join(ROOT, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')
  if (!existsSync(built) || !existsSync(join(ROOT, '.tap/plugins'))) return false
  const { plugin } = parse(readFileSync(join(ROOT, '.taprc'), 'utf8')) as { plugin: string[] }
  const [, signature = ''] = /export const signature = `([^`]*)`/.exec(readFileSync(built, 'utf8')) ?? []
  const names = signature.split('\n')
  return names.length > 1 && plugin.every(each => names.includes(each.replace(/^!/, '')) !== each.startsWith('!'))
}
