/**
 * One rendering for all who ask within a moment: a page that costs time to make is made once in `KEPT` milliseconds,
 * and answers that are under way at the same time share its bytes.
 *
 * Guarantees: no answer is older than `KEPT`; a rendering is compressed once at the most, off this thread, and only if
 * a client wants it so; one that failed is not kept.
 */
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { Page } from './listen.ts'

const KEPT = 250

/** It makes 4 KB of a page of 19, and 11 of one of 133; the higher ones save a tenth of that, for up to fifty times as long. */
const LEVEL = constants.Z_BEST_SPEED

export type Coding = 'identity' | 'gzip'

/** The page in a coding; by default as it is. */
export type Shared = (coding?: Coding) => Promise<Page>

interface Rendering {
  readonly at: number
  readonly plain: Promise<Page>
  gzip?: Promise<Page>
}

/** `now`: monotonic milliseconds. */
export function shared(render: () => Page | Promise<Page>, now: () => number): Shared {
  let kept: Rendering | undefined
  const rendering = (): Rendering => {
    const at = now()
    if (kept && at - kept.at < KEPT) return kept
    const made: Rendering = { at, plain: inBytes(render) }
    kept = made
    made.plain.catch(() => {
      if (kept === made) kept = undefined
    })
    return made
  }
  return (coding = 'identity') => {
    const made = rendering()
    if (coding === 'identity') return made.plain
    made.gzip ??= compressed(made.plain)
    return made.gzip
  }
}

async function inBytes(render: () => Page | Promise<Page>): Promise<Page> {
  const page = await render()
  return { ...page, body: Buffer.from(page.body) }
}

const deflated = promisify<Buffer, { level: number }, Buffer>(gzip)

/** A page that cannot be compressed, for want of memory, is answered as it is. */
async function compressed(plain: Promise<Page>): Promise<Page> {
  const page = await plain
  try {
    const body = await deflated(page.body as Buffer, { level: LEVEL })
    return { ...page, body, headers: { ...page.headers, 'content-encoding': 'gzip' } }
  } catch {
    return page
  }
}
