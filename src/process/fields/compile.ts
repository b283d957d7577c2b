/**
 * Which values of a record are sent, checked: what could not hold is reported at its key. Names are changed where a record
 * is rendered (backends/naming.ts), so filters go by the names that the line has.
 */
import type { FieldChoice } from '../../chunk.ts'
import type { ProcessProblem } from '../problem.ts'
import type { FieldsOptions } from './options.ts'

/** `parses`: records have values. */
export function compileFields(
  { fields }: FieldsOptions,
  parses: boolean,
  report: (problem: ProcessProblem) => void,
): FieldChoice | undefined {
  if (fields === undefined) return undefined
  const { rename, drop } = fields
  if (!parses) {
    const hint = 'parse says what records are: json, logfmt, or an expression'
    report({ path: ['fields'], found: 'fields of records that are not parsed', allowed: 'fields beside parse', hint })
  }
  const given = new Map<string, string>()
  for (const [name, other] of Object.entries(rename)) {
    const path = ['fields', 'rename', name]
    const twin = given.get(other)
    given.set(other, name)
    if (twin !== undefined) report({ path, found: `${other}, which ${twin} is called too`, allowed: 'one name each' })
    if (drop.includes(name)) report({ path, found: `${name}, which is dropped`, allowed: 'a value that is sent' })
  }
  return fields
}
