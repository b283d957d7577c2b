/**
 * One rendering for all who ask within a moment: a page that costs time to make is made once in `KEPT` milliseconds,
 * and answers that are under way at the same time share its bytes.
 *
 * Guarantees: no answer is older than `KEPT`; a rendering that failed is not kept.
 */
import type { Page } from './listen.ts'

const KEPT = 250

/** `now`: monotonic milliseconds. */
export function shared(render: () => Page | Promise<Page>, now: () => number): () => Promise<Page> {
  let kept: { readonly at: number; readonly page: Promise<Page> } | undefined
  return () => {
    const at = now()
    if (kept && at - kept.at < KEPT) return kept.page
    const page = inBytes(render)
    const entry = { at, page }
    kept = entry
    page.catch(() => {
      if (kept === entry) kept = undefined
    })
    return page
  }
}

async function inBytes(render: () => Page | Promise<Page>): Promise<Page> {
  const page = await render()
  return { ...page, body: Buffer.from(page.body) }
}
