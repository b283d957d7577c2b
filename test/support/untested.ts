/** What cannot be tested on this machine is a test too: skipped, counted, and with the reason. */
import type { Test } from 'tap'

export function untested(t: Pick<Test, 'test'>, name: string, reason: string): void {
  t.test(name, { skip: reason }, async () => {})
}
