/**
 * What lies beside a log and was never the log: another log with a similar name, what an editor or a lock leaves, a
 * backup that is copied by hand. None of it is shipped, whatever looking for rotated files comes across.
 */
import { appendFileSync, copyFileSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { faults } from './faults.ts'
import { LONG, matrix } from './matrix.ts'
import type { Rotation } from './rotation.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 600_000 : 170_000)

const NO_LINE = 'this is no line of the log\n'.repeat(60)

/** A log that is renamed to numbers, and whatever `leave` leaves beside it before each rotation. */
const beside = (name: string, leave: (path: (name?: string) => string, n: number) => void): Rotation => ({
  name,
  begin({ path }) {
    let rotations = 0
    leave(path, 0)
    return {
      write: lines => appendFileSync(path(), lines),
      rotate() {
        leave(path, ++rotations)
        renameSync(path(), path(`app.log.${rotations}`))
        leave(path, rotations)
      },
    }
  },
})

const others: readonly Rotation[] = [
  beside('another log that was there before', path => appendFileSync(path('app-audit.log'), NO_LINE)),
  beside('another log that begins meanwhile', (path, n) => writeFileSync(path(`app-part${'abcdef'[n]}.log`), NO_LINE)),
  beside('what an editor leaves', (path, n) => {
    if (n > 1) writeFileSync(path('.app.log.swp'), NO_LINE)
    if (n > 1) writeFileSync(path('app.log.swp'), NO_LINE)
  }),
  beside('locks and process numbers', (path, n) => {
    writeFileSync(path('app.log.lock'), `${n}\n`)
    writeFileSync(path('app.pid'), `${n}\n`)
  }),
  beside('a backup by cp', (path, n) => {
    if (n > 0 && existsSync(path())) copyFileSync(path(), path('app.log.orig'))
  }),
  beside('a configuration that is replaced', (path, n) => {
    writeFileSync(path('app.yaml.new'), NO_LINE + n)
    renameSync(path('app.yaml.new'), path('app.yaml'))
  }),
  beside('the rotations of another log', (path, n) => writeFileSync(path(`access.log.${n}`), NO_LINE)),
]

matrix(t, others, [peace, outage(3), still(2), down('SIGTERM', 2)], 40)
