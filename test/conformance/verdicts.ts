/** The table of docs/answers.md: what each answer that a subject knows means, as its judge says. */
import type { Answer, Verdict } from '../../src/backends/backend.ts'
import type { Subject } from './subject.ts'

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

/** The same of subjects of one type, without its name. */
export function answersOf(subjects: readonly Subject[]): string {
  return table(subjects)
    .split('\n')
    .map((row, index) => (index === 1 ? '| --- | --- | --- |' : row.replace(/^\| [^|]* \|/, '|')))
    .join('\n')
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
      return verdict.warning === undefined ? 'delivered' : `delivered, with a warning (\`${verdict.warning}\`)`
    case 'rejected':
      return `rejected (\`${verdict.reason}\`)`
    case 'bisect':
      return `bisected; the record at fault is rejected once others are accepted (\`${verdict.reason}\`)`
    case 'counted':
      return `${verdict.rejected} rejected (\`${verdict.reason}\`), the others delivered`
    case 'pending':
      return 'pending until it is confirmed'
    case 'retry':
      return `retried${verdict.misconfigured ? '; logged as misconfigured' : ''} (\`${verdict.reason}\`)`
    case 'unauthorized':
      return `retried after credentials are read again (\`${verdict.reason}\`)`
    case 'split':
      return 'split in halves'
    case 'items': {
      const rejected = verdict.rejected.map(({ index, reason }) => `${ordinal(index)} rejected (\`${reason}\`)`)
      const retry = verdict.retry.map(({ index, reason, rejectAs }) => {
        const end = rejectAs === undefined ? '' : `, apart if it fails alone, in the end rejected (\`${rejectAs}\`)`
        return `${ordinal(index)} retried (\`${reason}\`)${end}`
      })
      const unread = verdict.unread?.map(index => `${ordinal(index)} retried at once`) ?? []
      return [...rejected, ...retry, ...unread, 'the others delivered'].join(', ')
    }
  }
}

const ordinal = (index: number): string => ['1st', '2nd', '3rd'][index] ?? `${index + 1}th`
