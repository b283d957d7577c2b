/** What the program runs on: Node, the kernel, and what the container may use. Read, never guessed; nothing throws. */
import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg, release, totalmem, uptime, version } from 'node:os'
import { join } from 'node:path'
import { memoryLimit } from '../../memory.ts'

/** Files of our group that say what it may use and has used (cgroups(7)), of both versions. */
const CGROUP_FILES = [
  ...['memory.max', 'memory.high', 'memory.current', 'memory.peak', 'memory.events', 'memory.swap.max'],
  ...['cpu.max', 'cpu.weight', 'cpu.stat', 'pids.max', 'pids.current', 'io.max'],
  ...['memory/memory.limit_in_bytes', 'memory/memory.max_usage_in_bytes', 'memory/memory.failcnt'],
  ...['cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us', 'cpu/cpu.stat'],
] as const

export function platformFacts(mount = '/sys/fs/cgroup') {
  const { arch, platform, versions } = process
  const text = (file: string): string | null => {
    try {
      return readFileSync(file, 'utf8').slice(0, 4096).trimEnd()
    } catch {
      return null
    }
  }
  const directory = /^0::(.*)$/m.exec(text('/proc/self/cgroup') ?? '')?.[1] ?? '/'
  const cgroup = CGROUP_FILES.flatMap(name => {
    const content = text(join(mount, directory, name)) ?? text(join(mount, name))
    return content === null ? [] : [[name, content] as const]
  })
  return {
    versions: { node: versions.node, v8: versions.v8, openssl: versions.openssl ?? null },
    kernel: { platform, arch, release: release(), version: version(), uptimeSeconds: Math.round(uptime()) },
    cpus: availableParallelism(),
    load: loadavg(),
    memory: { machine: totalmem(), limit: memoryLimit() ?? null },
    cgroup: { version: text(join(mount, 'cgroup.controllers')) === null ? 1 : 2, files: Object.fromEntries(cgroup) },
    user: { uid: process.getuid?.() ?? null, gid: process.getgid?.() ?? null, groups: process.getgroups?.() ?? [] },
    /** Of the process that made the bundle, which the container gives the same. */
    limits: text('/proc/self/limits')?.split('\n') ?? [],
    clock: { now: new Date().toISOString(), timezone: Intl.DateTimeFormat().resolvedOptions().timeZone },
  }
}
