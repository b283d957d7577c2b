/**
 * `logshipper validate`: whether a configuration can be used, and everything that is wrong with it. Sends nothing.
 *
 * Everything is compiled as at a start. Of each expression that a person wrote it is said what it costs to look for it,
 * and a slow one is a warning.
 */
import { formatProblem, type LoadRequest, type LocatedCost, loadConfig } from '../config/load.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { inWords, remarksOn } from './sources.ts'
import { counted } from './table.ts'

/** A prefilter that lets more than one of so many bytes through does not help much. */
const FREQUENT = 64

/** Resolves to the exit code. */
export async function validate(request: LoadRequest, json: boolean, { out, err }: Streams): Promise<number> {
  const loaded = await loadConfig(request)
  const valid = loaded.kind === 'ok'
  const expressions = valid ? loaded.expressions() : []
  const warnings = valid
    ? [...loaded.warnings, ...remarksOn(loaded.config.sources).map(inWords), ...expressions.flatMap(slowness)]
    : []
  const problems = valid ? [] : loaded.problems
  if (json) {
    const costs = expressions.map(({ cost, ...rest }) => ({ ...rest, ...cost }))
    out.write(`${JSON.stringify({ valid, problems, warnings, expressions: costs }, null, 2)}\n`)
  } else {
    for (const warning of warnings) err.write(`warning: ${warning}\n`)
    for (const problem of problems) err.write(`${formatProblem(problem)}\n`)
    if (valid) {
      const { sources, backends } = loaded.config
      out.write(`valid: ${counted(sources.length, 'source')}, ${counted(backends.length, 'backend')}\n`)
      for (const each of expressions) out.write(`${placeOf(each)}: ${costInWords(each)}\n`)
    }
  }
  return valid ? EXIT.ok : EXIT.configuration
}

function placeOf({ file, line, key }: LocatedCost): string {
  return `${line === undefined ? file : `${file}:${line}`}: ${key}`
}

function costInWords({ cost }: LocatedCost): string {
  const size = `a table of ${counted(cost.bytes, 'byte')}`
  switch (cost.kind) {
    case 'text':
      return `a text only, ${size}`
    case 'prefilter':
      return `tried about once in ${counted(cost.every, 'byte')}, where a few of its bytes stand, ${size}`
    case 'head':
      return `tried at the head only, ${size}`
    case 'every byte':
      return `tried at every byte, ${size}`
  }
}

function slowness(each: LocatedCost): string[] {
  const { cost } = each
  if (cost.kind === 'every byte') return [`${placeOf(each)} scans every byte: begin it with ^ or a text`]
  if (cost.kind !== 'prefilter' || cost.every >= FREQUENT) return []
  return [`${placeOf(each)} is tried about once in ${counted(cost.every, 'byte')}: a longer text in it makes it faster`]
}
