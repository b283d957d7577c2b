/** What the tests of `_bulk` share: a shipper that dies on the way, and reading back what a cluster holds. */
import type { Test } from 'tap'
import { Stage, until } from '../program.ts'

/** Ships lines 0 to `count` and kills the shipper in the middle. What the second life says of itself at its end. */
export async function shipNumbered(
  t: Test,
  count: number,
  env: Record<string, string>,
): Promise<{ delivered: number; rejected: number }> {
  const stage = await Stage.set(t, {
    LOGSHIPPER_BACKEND_TYPE: 'elasticsearch',
    LOGSHIPPER_POD_UID: 'a-pod',
    ...env,
  })
  const first = await stage.start()
  stage.write(count / 2)
  const delivered = async (): Promise<number> => {
    const { text } = await first.get('/metrics')
    return Number(/^logshipper_delivered_lines_total\{[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0)
  }
  t.ok(await until(async () => (await delivered()) > 0, 60), 'something was delivered before the end')
  await first.kill('SIGKILL')
  stage.write(count / 2)
  const second = await stage.start({ LOGSHIPPER_DRAIN_GRACE_PERIOD: '120s' })
  const { code, ledger } = await second.kill('SIGTERM')
  t.equal(code, 0, 'everything was drained')
  const lines = (outcome: Record<string, { readonly lines: number }>): number =>
    Object.values(outcome).reduce((sum, { lines }) => sum + lines, 0)
  return {
    delivered: ledger.reduce((sum, line) => sum + line.statement.delivered.lines, 0),
    rejected: ledger.reduce((sum, line) => sum + lines(line.statement.rejected), 0),
  }
}

interface Page {
  readonly _scroll_id: string
  readonly hits: { readonly hits: readonly { readonly _source: { readonly message: string } }[] }
}

/** The numbers of all lines in an index, in no order; and those of the first ten thousand by `event.sequence`. */
export async function readBack(
  cluster: string,
  index: string,
  headers: Record<string, string>,
): Promise<{ all: number[]; first: number[] }> {
  const post = async (path: string, body: object): Promise<Page> => {
    const response = await fetch(`${cluster}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Page
  }
  const numbers = ({ hits }: Page): number[] => hits.hits.map(({ _source }) => Number(_source.message.slice(0, 8)))
  await post(`${index}/_refresh`, {})
  const first = numbers(await post(`${index}/_search`, { size: 10_000, sort: [{ 'event.sequence': 'asc' }] }))
  const all: number[] = []
  let page = await post(`${index}/_search?scroll=1m`, { size: 10_000 })
  while (page.hits.hits.length > 0) {
    all.push(...numbers(page))
    page = await post('_search/scroll', { scroll: '1m', scroll_id: page._scroll_id })
  }
  return { all, first }
}
