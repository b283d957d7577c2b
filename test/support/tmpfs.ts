/** Whether a file system in memory can be mounted here, which wants root and a kernel that lets it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mounts one at `directory`; returns whether that was possible. It is unmounted with `umount -l`. */
export function mountTmpfs(directory: string, size: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]).status === 0
}

/** Why a test that needs one is skipped; `false`: it is not. */
export function withoutTmpfs(): string | false {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-tmpfs-'))
  const mounted = mountTmpfs(directory, '64k')
  if (mounted) execFileSync('umount', ['-l', directory])
  rmdirSync(directory)
  return mounted ? false : 'no tmpfs can be mounted here'
}
