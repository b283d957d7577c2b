/**
 * What a file looks like from outside: two looks that differ mean that it was changed or replaced. Links are followed, so
 * after a swap of a projected volume's `..data` it is another inode. Never throws: a file that is gone has a look too.
 */
import { statSync } from 'node:fs'
import { codeOf } from './errors.ts'

export function signatureOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch (error) {
    return codeOf(error)
  }
}
