/**
 * `npm test`: runs tap with the arguments that are given, and says at the end which real components this machine lacked
 * and how to get them. The exit code is that of the tests.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { parse } from 'yaml'
import { BUNDLED } from './support/bundled.ts'
import { lines, missingIn } from './support/missing.ts'

const ROOT = join(import.meta.dirname, '..')
const BUNDLES = join(ROOT, '.tap/node_modules/@tapjs')
const PRELOAD = join(import.meta.dirname, 'support/bundled.ts')
/** File systems may stamp in whole seconds. */
const began = Math.floor(Date.now() / 1000) * 1000
// Each file has a process of its own, whose start is most of what a short one costs.
const env = { NODE_COMPILE_CACHE: join(ROOT, '.tap/compile-cache'), ...process.env }
if (!tapIsBuilt()) spawnSync('tap', ['build'], { cwd: ROOT, stdio: 'inherit' })
if (!packagesAreBundled()) await bundlePackages()
const tap = spawn('tap', ['run', `--node-arg=--import=${PRELOAD}`, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env,
})
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

/** Since the last installation, and since tap was compiled. */
function packagesAreBundled(): boolean {
  const modified = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const made = Math.min(...BUNDLED.map(name => modified(join(BUNDLES, `${name}.mjs`))))
  const of = ['node_modules/.package-lock.json', 'node_modules/@tapjs/test/test-built/dist/esm/index.js', 'test/run.ts']
  return of.every(path => modified(join(ROOT, path)) < made)
}

/**
 * tap and zod as one file each, for support/bundled.ts: finding their 400 modules takes longer than most test files do.
 * They are in a directory of the name that tap's own have, for tap leaves those out of the stack that it shows of a
 * failure.
 */
async function bundlePackages(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: BUNDLED,
    outdir: BUNDLES,
    outExtension: { '.js': '.new' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    // Every test loads this one before, in tap's own way.
    external: ['@tapjs/processinfo'],
    // Some of tap's packages are CommonJS, and ask for modules of Node.
    banner: { js: "import { createRequire as from } from 'node:module'; const require = from(import.meta.url)" },
  })
  // Renamed into place: a run beside this one reads the old file or the new one, never half of one.
  for (const name of BUNDLED) renameSync(join(BUNDLES, `${name}.new`), join(BUNDLES, `${name}.mjs`))
}
