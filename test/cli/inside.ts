/**
 * The commands without a process of their own: what was typed is parsed, and the command's function writes into strings.
 * What only a process has (its exit code, its descriptors, its signals) is what the tests that start one are for.
 */
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { parseArgs } from '../../src/cli/args.ts'
import { check } from '../../src/cli/check.ts'
import { convert } from '../../src/cli/convert.ts'
import { doctor } from '../../src/cli/doctor.ts'
import { EXIT } from '../../src/cli/exit.ts'
import { explain } from '../../src/cli/explain.ts'
import { inject } from '../../src/cli/inject.ts'
import { ledger } from '../../src/cli/ledger.ts'
import type { Streams } from '../../src/cli/output.ts'
import { prestop } from '../../src/cli/prestop.ts'
import { status } from '../../src/cli/status.ts'
import { tap } from '../../src/cli/tap.ts'
import { test } from '../../src/cli/test.ts'
import { validate } from '../../src/cli/validate.ts'
import type { Config } from '../../src/config/config.ts'
import { formatProblem, loadConfig } from '../../src/config/load.ts'
import type { Ended } from './manifests.ts'

/** `input`: its standard input. */
export async function inside(args: readonly string[], input: string | Buffer = ''): Promise<Ended> {
  let [out, err] = ['', '']
  const streams: Streams = { out: { write: text => void (out += text) }, err: { write: text => void (err += text) } }
  const code = await withInput(Buffer.from(input), () => perform(args, streams))
  return { code, out, err }
}

async function perform(args: readonly string[], streams: Streams): Promise<number> {
  const command = parseArgs(args)
  const configured = async (use: (config: Config) => Promise<number>): Promise<number> => {
    const { config: file, paths } = command as Partial<Extract<typeof command, { kind: 'check' }>>
    const loaded = await loadConfig({ file, paths: paths ?? [], env: process.env, cwd: process.cwd() })
    if (loaded.kind === 'ok') return use(loaded.config)
    for (const problem of loaded.problems) streams.err.write(`${formatProblem(problem)}\n`)
    return EXIT.configuration
  }
  switch (command.kind) {
    case 'wrong':
      streams.err.write(command.message)
      return EXIT.configuration
    case 'status':
      return status(command, streams)
    case 'ledger':
      return ledger(command, streams)
    case 'prestop':
      return prestop(command, streams)
    case 'tap': {
      const out = { ...streams.out, end: async () => ({ kind: 'written' }) as const }
      return tap(command, { ...streams, out, onInterruption: () => {} })
    }
    case 'doctor':
      return doctor(command, streams)
    case 'inject':
      return inject(command, streams)
    case 'convert':
      return convert(command, loadConfig, streams)
    case 'validate': {
      const { config: file, paths, json } = command
      return validate({ file, paths, env: {}, cwd: process.cwd() }, json, streams)
    }
    case 'check':
      return configured(config => check(config, command, streams))
    case 'explain':
      return configured(config => explain(config, { ...command, file: resolve(command.file) }, streams))
    case 'test':
      return configured(config => test(config, command, process.stdin, streams))
    default:
      throw new Error(`${command.kind} is not one of the commands that are tested here`)
  }
}

/** One after the other: there is one standard input. */
let last: Promise<unknown> = Promise.resolve()

function withInput<Result>(input: Buffer, run: () => Promise<Result>): Promise<Result> {
  const result = last.then(async () => {
    const real = Object.getOwnPropertyDescriptor(process, 'stdin')!
    const stdin = Readable.from(input.length > 0 ? [input] : [], { objectMode: false })
    Object.defineProperty(process, 'stdin', { value: stdin, configurable: true })
    try {
      return await run()
    } finally {
      Object.defineProperty(process, 'stdin', real)
    }
  })
  last = result.catch(() => {})
  return result
}
