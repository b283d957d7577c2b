/**
 * `logshipper doctor`: what is wrong with the shipper in the pods of a manifest, with the line to change and the reason.
 *
 * Asks no cluster. Exit codes: 0 no error was found; 1 there is one; 2 a manifest cannot be read.
 */

import { formatProblem } from '../config/problem.ts'
import { examine, type Remark } from '../manifest/doctor/examine.ts'
import { readManifest } from '../manifest/manifest.ts'
import type { Platform } from '../platform.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { counted, printable } from './table.ts'
import { readNamed } from './text.ts'

export interface DoctorRequest {
  /** Paths, or `-` for standard input. */
  readonly files: readonly string[]
  readonly json: boolean
  readonly drainSeconds: number | undefined
  readonly platform?: Platform | undefined
}

/** Resolves to the exit code. */
export async function doctor(request: DoctorRequest, { out, err }: Streams): Promise<number> {
  const { files, json, drainSeconds, platform } = request
  const remarks: Remark[] = []
  let pods = 0
  let unusable = false
  for (const name of files) {
    const file = name === '-' ? 'standard input' : name
    const named = await readNamed(name)
    const read =
      named.kind === 'text'
        ? await readManifest(file, named.text)
        : { kind: 'unusable' as const, problems: [{ file, key: '', found: named.found, allowed: named.allowed }] }
    if (read.kind === 'unusable') {
      unusable = true
      for (const problem of read.problems) err.write(`${formatProblem(problem)}\n`)
      continue
    }
    pods += read.manifest.pods.length
    remarks.push(...examine(read.manifest, { drainSeconds, platform }))
  }
  if (json) out.write(`${JSON.stringify(remarks, null, 2)}\n`)
  else {
    for (const remark of remarks) out.write(`${inWords(remark)}\n`)
    if (pods > 0) out.write(`${summary(pods, remarks)}\n`)
  }
  if (unusable) return EXIT.configuration
  return remarks.some(({ severity }) => severity === 'error') ? EXIT.unexpected : EXIT.ok
}

export function inWords({ file, line, severity, pod, key, found, wanted, why }: Remark): string {
  return printable(`${file}:${line}: ${severity}: ${pod}: ${key}: found ${found}; wanted: ${wanted} (${why})`)
}

function summary(pods: number, remarks: readonly Remark[]): string {
  const count = (severity: string): string =>
    counted(remarks.filter(each => each.severity === severity).length, severity)
  return `${counted(pods, 'pod')}: ${count('error')}, ${count('warning')}, ${count('hint')}`
}
