/** Which records make a run, by the twin of what the kernel compares: nothing here knows of reads, timers or files. */
import { alike } from '../../process/select/twin.ts'
import { RUN } from './sources.ts'

/** A record of more bytes is in no run. */
const LONGEST = 16 * 1024

/** Whether the later of two records that follow each other goes on with the run of the earlier one; bytes as Latin-1. */
export function laterOfRun(earlier: string, later: string): boolean {
  return earlier.length <= LONGEST && later.length <= LONGEST && alike(earlier, later)
}

/** Whether a run of so many records ends before the next one, with which it would have so many bytes. */
export function endsRun(last: string, next: string, records: number, bytes: number): boolean {
  return records >= RUN.records || bytes - 1 > RUN.bytes || !laterOfRun(last, next)
}
