/**
 * What memory the process has, and how much of it the container may have: read from proc and cgroup files, never
 * guessed. What cannot be read is `undefined`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryUse {
  /** Resident bytes, clean pages of the executable included, and those that are the process's own. */
  readonly resident: number
  readonly anonymous: number
}

/**
 * Below this a process hardly lives beside a budget of 8 MiB if the pages of the executable are charged to it, as to
 * the first one on a node: measured, with a backend that is up (docker/README.md).
 */
const LEAST = 96 * 1024 ** 2
const MEASURED_BUDGET = 8 * 1024 ** 2
/** "No limit" in the first version of cgroups is a number just below 2^63. */
const NO_LIMIT = 2 ** 60

/** proc(5), /proc/self/status. */
export function memoryUse(status = '/proc/self/status'): MemoryUse | undefined {
  const text = contentOf(status)
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1]
  const [resident, anonymous] = [field('VmRSS'), field('RssAnon')]
  if (resident === undefined || anonymous === undefined) return undefined
  return { resident: Number(resident) * 1024, anonymous: Number(anonymous) * 1024 }
}

/**
 * The memory limit of our cgroup in bytes, of either version (cgroups(7)); `undefined` if there is none. Inside a
 * container our group is the root of what is mounted, so the named directory is looked for first and the root after it.
 */
export function memoryLimit(cgroup = '/proc/self/cgroup', mount = '/sys/fs/cgroup'): number | undefined {
  const files: string[] = []
  for (const line of (contentOf(cgroup) ?? '').split('\n')) {
    const [, controllers, directory] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (directory === undefined) continue
    if (controllers === '') files.push(join(mount, directory, 'memory.max'))
    else if (controllers?.split(',').includes('memory'))
      files.push(join(mount, 'memory', directory, 'memory.limit_in_bytes'))
  }
  files.push(join(mount, 'memory.max'), join(mount, 'memory/memory.limit_in_bytes'))
  for (const file of files) {
    const text = contentOf(file)?.trim()
    if (text === undefined || !/^\d+$/.test(text)) continue
    const limit = Number(text)
    return limit < NO_LIMIT ? limit : undefined
  }
  return undefined
}

/** The smallest limit that we know to hold with such a budget: bytes. */
export function leastMemory(budget: number): number {
  return LEAST + Math.max(0, budget - MEASURED_BUDGET)
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
