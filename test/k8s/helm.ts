/** Helm, with nothing of the user's own: its caches and plugins are in a directory of this process. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromJSONSchema } from 'zod'
import { parseResources, type Resource, ROOT } from './render.ts'

/** Overridden by the name of a program, for a Helm that is not on PATH. */
export const HELM = process.env['HELM_BIN'] || 'helm'

const HOME = mkdtempSync(join(tmpdir(), 'logshipper-helm-'))
process.once('exit', () => rmSync(HOME, { recursive: true, force: true }))
export const ENVIRONMENT = {
  ...process.env,
  HELM_CACHE_HOME: join(HOME, 'cache'),
  HELM_CONFIG_HOME: join(HOME, 'config'),
  HELM_DATA_HOME: join(HOME, 'data'),
}

export interface Answer {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export function helm(...args: string[]): Answer {
  return helmWith({}, ...args)
}

/** `more`: variables of its environment, and the directory that it is called in. */
export function helmWith({ cwd, ...more }: Readonly<Record<string, string>>, ...args: string[]): Answer {
  const options = { env: { ...ENVIRONMENT, ...more }, encoding: 'utf8', ...(cwd !== undefined && { cwd }) } as const
  const { status, stdout, stderr, error } = spawnSync(HELM, args, options)
  return { status, stdout: stdout ?? '', stderr: error === undefined ? stderr : error.message }
}

/** Why there is no Helm, or `undefined`. */
export function withoutHelm(): string | undefined {
  const { status, stdout } = helm('version', '--short')
  if (status === 0 && /^v[34]\./.test(stdout)) return undefined
  return 'there is no helm on this machine, and HELM_BIN names none'
}

/** A copy of k8s/charts, for what Helm writes into a chart. The chart `example` has its dependency. */
export function charts(): string {
  const directory = mkdtempSync(join(HOME, 'charts-'))
  cpSync(join(ROOT, 'k8s/charts'), directory, { recursive: true })
  const dependency = join(directory, 'example/charts/logshipper')
  mkdirSync(dependency, { recursive: true })
  cpSync(join(directory, 'logshipper'), dependency, { recursive: true })
  return directory
}

/** What `helm template` makes of a chart. Throws what it says on standard error. */
export function template(chart: string, ...args: string[]): Resource[] {
  const { status, stdout, stderr } = helm('template', 'web', chart, ...args)
  if (status !== 0) throw new Error(stderr)
  return parseResources(stdout).filter(resource => resource !== null)
}

/** The form of a chart's values: what Helm checks, without Helm. */
export function valuesOf(chart: string) {
  return fromJSONSchema(JSON.parse(readFileSync(join(ROOT, 'k8s/charts', chart, 'values.schema.json'), 'utf8')))
}
