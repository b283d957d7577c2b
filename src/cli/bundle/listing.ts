/**
 * What lies in the directories of the logs and of the state, as `ls -lRi` shows it: names and what the file system knows
 * of them. No file is opened, no link is followed, and what is listed is bounded.
 */
import { lstatSync, readdirSync, readlinkSync, type Stats, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../errors.ts'
import { printable } from '../table.ts'

/** Names that are listed of one directory with all below it, and how deep that goes. */
const MOST = 2000
const DEEPEST = 16

/** Each directory with all that is below it, as text. Never throws. */
export function listingOf(directories: readonly string[]): string {
  const parts = [...new Set(directories)].map(directory => {
    const lines = [`${printable(directory)}: ${volumeOf(directory)}`, HEAD]
    const left = walk(directory, lines)
    if (left) lines.push(`… no more than ${MOST} names are listed, ${DEEPEST} directories deep`)
    return lines.join('\n')
  })
  return `${parts.join('\n\n')}\n`
}

const HEAD = '       inode mode       links    user   group            size modified                 name'

/** Breadth first: what lies near is listed first. Returns whether something was left out. */
function walk(root: string, lines: string[]): boolean {
  let listed = 0
  let left = false
  const waiting = [{ directory: root, depth: 0 }]
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { directory, depth } = next
    let names: string[]
    try {
      names = readdirSync(directory).sort()
    } catch (error) {
      lines.push(`cannot be read: ${printable(directory)} (${codeOf(error)})`)
      continue
    }
    for (const name of names) {
      if (++listed > MOST) return true
      const path = join(directory, name)
      try {
        const stats = lstatSync(path)
        lines.push(row(path, stats))
        if (!stats.isDirectory()) continue
        if (depth < DEEPEST) waiting.push({ directory: path, depth: depth + 1 })
        else left = true
      } catch (error) {
        lines.push(`cannot be looked at: ${printable(path)} (${codeOf(error)})`)
      }
    }
  }
  return left
}

function row(path: string, stats: Stats): string {
  const { ino, mode, nlink, uid, gid, size, mtime } = stats
  const cells = [
    String(ino).padStart(12),
    `${kindOf(stats)}${(mode & 0o7777).toString(8).padStart(4, '0')}`.padEnd(10),
    String(nlink).padStart(5),
    String(uid).padStart(7),
    String(gid).padStart(7),
    String(size).padStart(15),
    Number.isNaN(mtime.getTime()) ? '-'.padEnd(24) : mtime.toISOString().padEnd(24),
    printable(path),
  ]
  return cells.join(' ') + (stats.isSymbolicLink() ? ` -> ${targetOf(path)}` : '')
}

function kindOf(stats: Stats): string {
  if (stats.isFile()) return '-'
  if (stats.isDirectory()) return 'd'
  if (stats.isSymbolicLink()) return 'l'
  if (stats.isFIFO()) return 'p'
  return stats.isSocket() ? 's' : 'c'
}

function targetOf(path: string): string {
  try {
    return printable(readlinkSync(path))
  } catch (error) {
    return `(${codeOf(error)})`
  }
}

/** What is free where a directory lies. */
function volumeOf(directory: string): string {
  try {
    const { type, bavail, blocks, bsize, ffree, files } = statfsSync(directory)
    const kind = `file system 0x${type.toString(16)}`
    return `${kind}, ${bavail * bsize} of ${blocks * bsize} bytes and ${ffree} of ${files} inodes are free`
  } catch (error) {
    return `not known (${codeOf(error)})`
  }
}
