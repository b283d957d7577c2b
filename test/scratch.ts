/**
 * A directory of a test's own, removed when everything else of the test has ended. tap takes such a directory away
 * before it runs what was registered for the end after it: whatever still wrote there then would race with the removal.
 */
import type { Test } from 'tap'

export function scratch(t: Pick<Test, 'testdir' | 'teardown'>, content?: Parameters<Test['testdir']>[0]): string {
  t.teardown(() => {})
  return t.testdir(content)
}
