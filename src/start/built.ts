/**
 * The program as it was built, in a file beside this one: with its compiled code if that is there, of this program and
 * for this Node, and else as Node loads any module.
 *
 * Guarantees: all that is read lies beside this file. Whoever could write there could write this file too.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Script } from 'node:vm'
import { compiledFile, PROGRAM, scriptOf, unseal } from './compiled.ts'

type Program = (exports: object, require: NodeJS.Require, module: object, file: string, directory: string) => void

export function load(): void {
  const directory = import.meta.dirname
  const filename = join(directory, PROGRAM)
  const require = createRequire(filename)
  const script = compiled(directory, filename)
  if (script === undefined) {
    require(filename)
    return
  }
  const program = script.runInThisContext() as Program
  program({}, require, { exports: {} }, filename, directory)
}

/** With other flags of V8 the code is not accepted. The script has been compiled then, and is as good. */
function compiled(directory: string, filename: string): Script | undefined {
  try {
    const sealed = readFileSync(compiledFile(directory))
    const program = readFileSync(filename)
    const data = unseal(sealed, program)
    return data && scriptOf(filename, program, data)
  } catch {
    return undefined
  }
}
