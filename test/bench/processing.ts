/**
 * What processing costs the whole product: the same file as NDJSON, once plain and once with what a source may say about its
 * records. What a record grows by (fields beside its line) is in `out/in`: those bytes have to be copied and sent, too.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { backlog, type Figures } from './backlogs.ts'
import { writeCorpus } from './corpus.ts'
import { fixed, folder, MIB, median, mib } from './setting.ts'
import { PROCESSING } from './works.ts'

const NDJSON = { LOGSHIPPER_BACKEND_FORMAT: 'ndjson', LOGSHIPPER_BACKEND_COMPRESSION: 'none' }
/** What is filtered, or sent without its white space, may be less than what was read. */
const LEAST = 0.5

/** Runs the same lines plain and processed. */
export async function processing(): Promise<void> {
  for (const work of PROCESSING) {
    const path = join(folder, 'processing.log')
    const size = writeCorpus(path, mib, work.lines(8 * MIB))
    const plain = await backlog(`${work.name}: plain`, path, size, NDJSON)
    const processed = await backlog(work.name, path, size, { ...NDJSON, ...work.options }, LEAST)
    const times = costOf(processed) / costOf(plain)
    console.log(`${' '.repeat(30)}${fixed(times, 1).padStart(10)} × the plain lines’ CPU time`)
    rmSync(path)
  }
}

function costOf(all: readonly Figures[]): number {
  return median(all.map(({ cpu }) => cpu))
}
