/** The table of the README: what each answer that a subject knows means, as its judge says. */
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Subject } from './subject.ts'

export const BEGIN = '<!-- verdicts -->'
export const END = '<!-- /verdicts -->'

/** How much of an answer's body is shown: characters. */
const EXCERPT = 72

export function table(subjects: readonly Subject[]): string {
  const rows = ['| Backend | Answer | | Verdict |', '| --- | --- | --- | --- |']
  const shown = new Set<Subject['cases']>()
  for (const subject of subjects) {
    // Variants of one type that are answered alike.
    if (shown.has(subject.cases)) continue
    shown.add(subject.cases)
    const alike = subjects.some(
      other => other !== subject && other.type === subject.type && other.cases !== subject.cases,
    )
    const name = alike ? subject.name : subject.type
    for (const each of subject.cases) {
      rows.push(`| ${name} | ${excerpt(each.answer)} | ${each.name} | ${words(each.verdict)} |`)
    }
  }
  return rows.join('\n')
}

/** The README with the table in its place. */
export function placed(readme: string, table: string): string {
  const from = readme.indexOf(BEGIN)
  const to = readme.indexOf(END)
  if (from < 0 || to < from) throw new Error(`README.md has no ${BEGIN} … ${END}`)
  return `${readme.slice(0, from)}${BEGIN}\n${table}\n${readme.slice(to)}`
}

function excerpt({ status, headers, body: text, bytes, unread }: Answer): string {
  const body = bytes ? bytes.toHex() : text
  const said = [...body.replaceAll(/[\s\x00-\x1f\ufffd]+/g, ' ').trim()]
  const shown = said.length > EXCERPT ? `${said.slice(0, EXCERPT).join('')}…` : said.join('')
  const { location, 'retry-after': after } = headers
  const more = [
    unread ? `${shown.slice(0, 8)}…` : shown,
    location && `Location: ${location}`,
    after && `Retry-After: ${after}`,
  ].filter(Boolean)
  return [String(status), ...more.map(one => code(one!))].join(' ')
}

/** A code span of GitHub's Markdown, in a table's cell. */
function code(text: string): string {
  const quote = text.includes('`') ? '``' : '`'
  return `${quote}${text.replaceAll('|', '\\|')}${quote}`
}

function words(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'delivered':
      return verdict.remark === undefined ? 'delivered' : `delivered, with a warning (\`${verdict.remark}\`)`
    case 'rejected':
      return `rejected (\`${verdict.reason}\`)`
    case 'suspect':
      return `searched for the record; rejected once others are taken (\`${verdict.reason}\`)`
    case 'counted':
      return `${verdict.rejected} rejected (\`${verdict.reason}\`), the others delivered`
    case 'pending':
      return 'waits for its confirmation'
    case 'retry':
      return `${verdict.misconfigured ? 'said loudly, ' : ''}tried again (\`${verdict.reason}\`)`
    case 'unauthorized':
      return `loud pause, credentials read again (\`${verdict.reason}\`)`
    case 'split':
      return 'sent in halves'
    case 'items': {
      const rejected = verdict.rejected.map(({ index, reason }) => `${ordinal(index)} rejected (\`${reason}\`)`)
      const retry = verdict.retry.map(({ index, reason, rejectAs }) => {
        const end = rejectAs === undefined ? '' : `, aside if it goes on alone, at last rejected (\`${rejectAs}\`)`
        return `${ordinal(index)} tried again (\`${reason}\`)${end}`
      })
      const unread = verdict.unread?.map(index => `${ordinal(index)} sent again at once`) ?? []
      return [...rejected, ...retry, ...unread, 'the others delivered'].join(', ')
    }
  }
}

const ordinal = (index: number): string => ['1st', '2nd', '3rd'][index] ?? `${index + 1}th`
