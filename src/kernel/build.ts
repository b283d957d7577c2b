/**
 * Compiles src/kernel/assembly to WebAssembly and writes it into src/kernel/module.ts, as base64: the program ships as
 * one file, and a module is compiled before anything asynchronous could happen. There are two: the kernel, and in
 * assembly/deflate the compressor.
 *
 * Runs at build time only: `node src/kernel/build.ts`. What was compiled of the same sources, by the same compiler, with
 * the same options stays as it is: optimizing takes most of the time of a build.
 */
import { hash } from 'node:crypto'
import { globSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const directory = fileURLToPath(new URL('./assembly/', import.meta.url))
const target = fileURLToPath(new URL('./module.ts', import.meta.url))

const options = [
  ...['--runtime', 'stub', '--noAssert', '--importMemory'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
  ...['--enable', 'simd', '--enable', 'bulk-memory', '--enable', 'relaxed-simd'],
]

/** What the modules are made of. */
function digest(): string {
  const sources = globSync('**/*.ts', { cwd: directory }).toSorted()
  const texts = sources.map(name => [name, readFileSync(resolve(directory, name), 'utf8')])
  const own = readFileSync(fileURLToPath(import.meta.url), 'utf8')
  return hash('sha256', JSON.stringify([asc.version, own, texts]))
}

/** The first line of what was compiled of them. */
const heading = (of: string): string => `// Written by src/kernel/build.ts, of sources with the SHA-256 ${of}.`

function isCurrent(first: string): boolean {
  try {
    return readFileSync(target, 'utf8').startsWith(`${first}\n`)
  } catch {
    return false
  }
}

/** The compiler takes one of two exports of a name, and says nothing. */
function refuseTwins(entry: string): void {
  const text = readFileSync(resolve(directory, entry), 'utf8')
  const lists = [...text.matchAll(/export \{([^}]*)\}/g)].flatMap(([, list]) => list!.split(','))
  const names = lists
    .map(
      each =>
        each
          .trim()
          .split(/\s+as\s+/)
          .at(-1)!,
    )
    .filter(name => name !== '')
  const twins = names.filter((name, at) => names.indexOf(name) !== at)
  if (twins.length > 0) throw new Error(`${entry} exports twice: ${twins.join(', ')}`)
}

/** Compiles one module. Throws what the compiler said if it fails. */
async function compile(entry: string): Promise<Uint8Array> {
  refuseTwins(entry)
  let module: Uint8Array | undefined
  const { error, stderr } = await asc.main([entry, '--baseDir', directory, '--outFile', 'module.wasm', ...options], {
    readFile(name, base) {
      try {
        return readFileSync(resolve(base, name), 'utf8')
      } catch {
        return null // the compiler tries several names for each import
      }
    },
    writeFile(name, contents) {
      if (name === 'module.wasm' && typeof contents !== 'string') module = contents
    },
    listFiles: () => [],
  })
  if (error !== null || module === undefined) {
    throw new Error(`${entry} does not compile\n${stderr.toString()}`, { cause: error })
  }
  return module
}

/** The constants that a module exports: its global numbers whose names are in capitals. */
function constants(module: Uint8Array): Record<string, number> {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } })
  const named = Object.entries(exports).filter(([name]) => /^[A-Z][A-Z0-9_]*$/.test(name))
  return Object.fromEntries(named.map(([name, global]) => [name, (global as WebAssembly.Global).value]))
}

/** Compiles and writes the modules unless they are current. Throws what the compiler said if it fails. */
export async function buildKernel(): Promise<void> {
  const first = heading(digest())
  if (isCurrent(first)) return
  const kernel = await compile('index.ts')
  const deflate = await compile('deflate/index.ts')
  const text = (module: Uint8Array) => `\n  '${Buffer.from(module).toString('base64')}'\n`
  const layout = (module: Uint8Array) => `${JSON.stringify(constants(module))} as const\n`
  // Renamed into place: a test that starts meanwhile finds the old modules or the new ones, never half of one.
  writeFileSync(
    `${target}.new`,
    [
      `${first}\n// Each module, and the constants that it exports.\n`,
      `export const MODULE =${text(kernel)}export const LAYOUT = ${layout(kernel)}`,
      `export const DEFLATE =${text(deflate)}export const DEFLATE_LAYOUT = ${layout(deflate)}`,
    ].join(''),
  )
  renameSync(`${target}.new`, target)
}

if (import.meta.main) await buildKernel()
