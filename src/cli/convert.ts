/**
 * `logshipper convert`: our configuration from that of another shipper on standard output; on standard error each
 * setting that was not carried over, and why.
 *
 * Exit codes: 0 everything was carried over; 1 a bug: the result is not valid; 2 nothing is printed, since the file
 * cannot be read or follows no files; 3 something was lost. Nothing of it is needed beside a running pod, so the build
 * makes a bundle of its own of what begins here: our validator is handed in, since the program has it already.
 */
import { readdirSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { looksLike, type Peer } from '../config/foreign.ts'
import { formatProblem, type Problem } from '../config/problem.ts'
import { readText } from '../config/read.ts'
import { convert as converted, type Load } from '../convert/convert.ts'
import { inputOf } from '../convert/input.ts'
import type { Remark } from '../convert/remarks.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { counted, printable } from './table.ts'
import { readNamed } from './text.ts'

/** Bytes of a file that the file names. */
const FILE_LIMIT = 1024 ** 2

export interface ConvertRequest {
  readonly from: Peer
  /** A path, or `-` for standard input. */
  readonly file: string
}

/** Resolves to the exit code. */
export async function convert({ from, file }: ConvertRequest, load: Load, { out, err }: Streams): Promise<number> {
  const name = file === '-' ? 'standard input' : file
  const refuse = (problems: readonly Problem[]): number => {
    for (const problem of problems) err.write(`${formatProblem(problem)}\n`)
    return EXIT.configuration
  }
  const named = await readNamed(file)
  if (named.kind !== 'text') return refuse([{ file: name, key: '', found: named.found, allowed: named.allowed }])
  const input = await inputOf(from, name, named.text, file === '-' ? () => undefined : beside(file))
  const result = await converted(from, input, load)
  if (result.kind === 'unreadable') return refuse(result.problems)
  for (const remark of result.remarks) err.write(`${inWords(remark)}\n`)
  if (result.kind === 'nothing') {
    const meant = looksLike(named.text)
    const hint = meant !== undefined && meant !== from ? `it looks like a configuration of ${meant}` : undefined
    const found = 'no input that follows files'
    return refuse([{ file: name, key: '', found, allowed: `a configuration of ${from} that follows files`, hint }])
  }
  out.write(`# Made of ${printable(basename(name))} by logshipper convert --from ${from}.\n${result.text}`)
  if (result.kind === 'bug') {
    for (const problem of result.problems) err.write(`${formatProblem(problem)}\n`)
    err.write('the result is not valid: this is a bug of logshipper convert\n')
    return EXIT.unexpected
  }
  const { remarks } = result
  const count = (kind: Remark['kind']): number => remarks.filter(each => each.kind === kind).length
  const lost = count('lost')
  err.write(`${counted(lost, 'setting')} lost, ${count('not needed')} not needed, ${counted(count('note'), 'note')}\n`)
  return lost > 0 ? EXIT.incomplete : EXIT.ok
}

function inWords({ kind, file, line, key, why }: Remark): string {
  const place = line === undefined ? file : `${file}:${line}`
  return printable(`${place}: ${kind}: ${key}${key === '' ? '' : ': '}${why}`)
}

/** Files that are named in the file: relative to its directory, or there by their last name. */
function beside(file: string): (name: string) => { readonly name: string; readonly text: string } | undefined {
  const directory = dirname(resolve(file))
  return name => {
    const candidates = [resolve(directory, name), resolve(directory, basename(name))]
    const [, prefix = '', suffix = ''] = /^([^*]*)\*([^*]*)$/.exec(basename(name)) ?? []
    if (name.includes('*')) {
      const texts = listed(resolve(directory, dirname(name)))
        .filter(each => each.startsWith(prefix) && each.endsWith(suffix))
        .map(each => readText(resolve(directory, dirname(name), each), FILE_LIMIT))
      const text = texts.flatMap(each => (each.kind === 'text' ? [each.text] : [])).join('\n')
      return text === '' ? undefined : { name, text }
    }
    for (const path of candidates) {
      const read = readText(path, FILE_LIMIT)
      if (read.kind === 'text') return { name, text: read.text }
    }
    return undefined
  }
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}
