/**
 * Compiles src/kernel/assembly to WebAssembly and writes it into src/kernel/module.ts, as base64: the program ships as
 * one file, and the module is compiled before anything asynchronous could happen.
 *
 * Runs at build time only: `node src/kernel/build.ts`.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const folder = fileURLToPath(new URL('./assembly/', import.meta.url))
const target = fileURLToPath(new URL('./module.ts', import.meta.url))

const options = [
  ...['--runtime', 'stub', '--noAssert', '--importMemory'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0', '--converge'],
  ...['--enable', 'simd', '--enable', 'bulk-memory'],
]

/** Compiles and writes the module. Returns its size in bytes; throws what the compiler said if it fails. */
export async function buildKernel(): Promise<number> {
  let module: Uint8Array | undefined
  const { error, stderr } = await asc.main(['index.ts', '--baseDir', folder, '--outFile', 'kernel.wasm', ...options], {
    readFile(name, base) {
      try {
        return readFileSync(resolve(base, name), 'utf8')
      } catch {
        return null // the compiler tries several names for each import
      }
    },
    writeFile(name, contents) {
      if (name === 'kernel.wasm' && typeof contents !== 'string') module = contents
    },
    listFiles: () => [],
  })
  if (error !== null || module === undefined) {
    throw new Error(`the kernel does not compile\n${stderr.toString()}`, { cause: error })
  }
  const text = Buffer.from(module).toString('base64')
  // Renamed into place: a test that starts meanwhile finds the old module or the new one, never half of one.
  writeFileSync(`${target}.new`, `// Written by src/kernel/build.ts.\nexport const MODULE =\n  '${text}'\n`)
  renameSync(`${target}.new`, target)
  return module.length
}

if (import.meta.main) {
  const bytes = await buildKernel()
  process.stdout.write(`kernel: ${bytes} bytes\n`)
}
