/**
 * Directories that we make: one after the other from the top, and why one can never be made.
 *
 * The hazard: `mkdirSync(…, { recursive: true })` never returns where the system says of a parent that is there that it
 * is not, as /proc does, and takes no signal meanwhile.
 */
import { lstatSync, mkdirSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from './errors.ts'

/** Where positions are saved if the configuration says nothing else. */
export const STATE_DIR = '/var/lib/logshipper'

/** Makes `path` and what is missing above it. It may be there already. Throws what the system says. */
export function makeDirectory(path: string, mode = 0o700): void {
  if (made(path, mode)) return
  makeDirectory(dirname(path), mode)
  // Once: if the parent is said to be missing still, it never will be there.
  if (!made(path, mode)) throw Object.assign(new Error(`no directory can be made: ${path}`), { code: 'ENOENT' })
}

/** Returns false if what should hold it is missing. */
function made(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST' && statSync(path).isDirectory()) return true
    if (code === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}

/**
 * Makes `path`, or says in words why it can never be a directory of ours, however long we wait. What may pass (no
 * permission, no room, an error of the device) is no obstacle; nor is a directory that is there and read-only.
 */
export function obstacleTo(path: string): string | undefined {
  try {
    makeDirectory(path)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const { at, kind } = lastOf(path)
    if (kind === 'file') return `a file in the way: ${at}`
    if (kind === 'dangling') return `a symbolic link that leads nowhere: ${at}`
    if (code === 'ELOOP') return `symbolic links that lead in a circle: ${at}`
    if (code === 'ENAMETOOLONG') return 'a name that is too long'
    if (VIRTUAL.has(typeAt(at))) return `a file system of the kernel that keeps no files: ${at}`
    if (code === 'EROFS') return `a read-only file system: ${at}`
    return code === 'ENOENT' ? `a place where no directory can be made: ${at}` : undefined
  }
}

/** The deepest part of a path that is there, and what it is. */
function lastOf(path: string): { at: string; kind: 'directory' | 'file' | 'dangling' | 'unknown' } {
  for (let at = path; ; at = dirname(at)) {
    try {
      lstatSync(at)
    } catch {
      if (dirname(at) !== at) continue
    }
    try {
      return { at, kind: statSync(at).isDirectory() ? 'directory' : 'file' }
    } catch (error) {
      return { at, kind: codeOf(error) === 'ENOENT' ? 'dangling' : 'unknown' }
    }
  }
}

/** proc, sysfs, cgroup and cgroup2 (statfs(2)). */
const VIRTUAL = new Set([0x9fa0, 0x62656572, 0x27e0eb, 0x63677270])

function typeAt(path: string): number {
  try {
    return statfsSync(path).type
  } catch {
    return 0
  }
}
