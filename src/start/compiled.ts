/**
 * The compiled code of the program, in a file beside it: `cache.ts` makes it when the program is built, `built.ts`
 * reads it. Compiling takes half of a start.
 *
 *     crc32 of all that follows and of the program │ what V8 made of it
 *     8 bytes, hexadecimal                         │
 *
 * V8 compares its own version, its flags and the length of the program, and no byte of either: that is done here. Code
 * for another Node or another machine is never looked at, since these stand in the name.
 */
import { join } from 'node:path'
import { constants, Script } from 'node:vm'
import { crc32 } from 'node:zlib'

export const PROGRAM = 'logshipper-program.cjs'

const HEAD_BYTES = 8

/** Where the compiled code of the program in `directory` is, for the Node that runs this. */
export function compiledFile(directory: string): string {
  return join(directory, `logshipper-program-${process.version}-${process.platform}-${process.arch}.cache`)
}

/** The text that is compiled: what Node's own loader makes of a CommonJS module. The program is ASCII. */
export function textOf(program: Buffer): string {
  return `(function (exports, require, module, __filename, __dirname) { ${program.toString('latin1')}\n})`
}

/** The program as a script, with its compiled code if there is any. */
export function scriptOf(filename: string, program: Buffer, cachedData?: Buffer): Script {
  return new Script(textOf(program), {
    filename,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
}

export function seal(data: Buffer, program: Buffer): Buffer {
  return Buffer.concat([Buffer.from(checksum(data, program), 'latin1'), data])
}

/** What V8 made of this very program; `undefined` if it is of another one, or damaged. */
export function unseal(sealed: Buffer, program: Buffer): Buffer | undefined {
  const data = sealed.subarray(HEAD_BYTES)
  return sealed.toString('latin1', 0, HEAD_BYTES) === checksum(data, program) ? data : undefined
}

function checksum(data: Buffer, program: Buffer): string {
  return crc32(data, crc32(program)).toString(16).padStart(HEAD_BYTES, '0')
}
