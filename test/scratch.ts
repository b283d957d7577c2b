/**
 * A directory of a test's own, removed when everything else of the test has ended. tap takes such a directory away
 * before it runs what was registered for the end after it: whatever still wrote there then would race with the removal.
 */
import { linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'

export function scratch(t: Pick<Test, 'testdir' | 'teardown'>, content?: Parameters<Test['testdir']>[0]): string {
  t.teardown(() => {})
  return t.testdir(content)
}

/**
 * So many empty files in `dir`, for what looks at names alone: each is a link to the first. Making thousands of files
 * takes a busy disk seconds; names cost a twentieth of that.
 */
export function plant(dir: string, count: number, name: (n: number) => string): void {
  const directories = new Set<string>()
  for (let n = 0; n < count; n++) {
    const path = join(dir, name(n))
    const parent = dirname(path)
    if (!directories.has(parent)) mkdirSync(parent, { recursive: true })
    directories.add(parent)
    if (n === 0) writeFileSync(path, '')
    else linkSync(join(dir, name(0)), path)
  }
}
