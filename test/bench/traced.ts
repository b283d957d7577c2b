/** System calls of a process, by perf, which costs it little, or by strace, which stops it at each. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** All of them, and syncs. */
export interface Traced {
  readonly calls: number
  readonly syncs: number
}

const EVENTS = ['raw_syscalls:sys_enter', 'syscalls:sys_enter_fsync', 'syscalls:sys_enter_fdatasync']

/** Asked once, of a process that does nothing. */
export const tracer: 'perf' | 'strace' | undefined = (() => {
  if (spawnSync('perf', ['stat', '-e', EVENTS.join(), 'true']).status === 0) return 'perf'
  return spawnSync('strace', ['-c', 'true']).status === 0 ? 'strace' : undefined
})()

/** Of so many seconds from now; undefined where nothing counts them. */
export async function traced(pid: number, span: number): Promise<Traced | undefined> {
  if (tracer === undefined) return undefined
  // Nowhere near the logs: a name that comes to be in their directory makes shippers look.
  const own = mkdtempSync(join(tmpdir(), 'logshipper-trace-'))
  try {
    return await counted(tracer, pid, span, join(own, 'counts'))
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

async function counted(
  tracer: 'perf' | 'strace',
  pid: number,
  span: number,
  file: string,
): Promise<Traced | undefined> {
  const perf = ['stat', '-x,', '-e', EVENTS.join(), '-p', String(pid), '-o', file, '--', 'sleep', String(span)]
  const child = spawn(tracer, tracer === 'perf' ? perf : ['-f', '-c', '-o', file, '-p', String(pid)], {
    stdio: 'ignore',
  })
  const gone = once(child, 'close')
  if (tracer === 'strace') {
    await sleep(span * 1000)
    child.kill('SIGINT')
  }
  await gone
  if (!existsSync(file)) return undefined
  const rows = readFileSync(file, 'latin1').split('\n')
  const sum = (name: RegExp, countOf: (row: string) => string | undefined) =>
    rows.filter(row => name.test(row)).reduce((all, row) => all + Number(countOf(row) ?? 0), 0)
  if (tracer === 'perf') {
    const first = (row: string) => row.split(',')[0]
    return { calls: sum(/raw_syscalls/, first), syncs: sum(/sys_enter_f/, first) }
  }
  const fourth = (row: string) => row.trim().split(/\s+/)[3]
  return { calls: sum(/ total$/, fourth), syncs: sum(/ (fsync|fdatasync)$/, fourth) }
}
