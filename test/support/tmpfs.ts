/** Whether a file system in memory can be mounted here, which wants root and a kernel that lets it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mounts one at `folder`; returns whether that was possible. It is unmounted with `umount -l`. */
export function mountTmpfs(folder: string, size: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status === 0
}

/** Why a test that needs one is skipped; `false`: it is not. */
export function withoutTmpfs(): string | false {
  const folder = mkdtempSync(join(tmpdir(), 'logshipper-tmpfs-'))
  const mounted = mountTmpfs(folder, '64k')
  if (mounted) execFileSync('umount', ['-l', folder])
  rmdirSync(folder)
  return mounted ? false : 'no tmpfs can be mounted here'
}
