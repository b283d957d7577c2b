/**
 * `docs/troubleshooting.md`, one entry for each event that the program can log, made of the rows in `src/events/`.
 * `test/events.test.ts` compares the file with what this makes.
 */
import { BACKENDS } from '../../src/events/backends.ts'
import { FILES } from '../../src/events/files.ts'
import { PROCESS } from '../../src/events/process.ts'
import type { LimitRule, Row } from '../../src/events/rule.ts'
import { STATE } from '../../src/events/state.ts'

const SECTIONS: readonly (readonly [title: string, rows: Readonly<Record<string, Row>>])[] = [
  ['Process and configuration', PROCESS],
  ['Backends', BACKENDS],
  ['Files', FILES],
  ['State directory', STATE],
]

const HEAD = `# Troubleshooting

Every event that logshipper can log: what it means and what to do. Each line of the log is a JSON object with \`level\`,
\`time\`, \`event\`, \`msg\` and the fields that belong to the event. Sentences may be reworded; the names of events stay.

| Level | Meaning |
| --- | --- |
| \`error\` | data was lost or rejected, or a human is needed |
| \`warn\` | something is wrong, no data has been lost |
| \`info\` | a turn in the life of the process, or of a file |
| \`debug\` | the steps in between; \`log.level: debug\` shows them |

This page is generated from \`src/events/\` (\`npm run docs\`).`

export function troubleshooting(): string {
  const sections = SECTIONS.map(([title, rows]) =>
    [`## ${title}`, ...Object.entries(rows).map(([event, row]) => entry(event, row))].join('\n\n'),
  )
  return `${[HEAD, ...sections].join('\n\n')}\n`
}

function entry(event: string, { level, rule, means, action, units }: Row): string {
  const fields = Object.entries(units ?? {}).map(([field, unit]) => `\`${field}\` in ${unit}`)
  const lines = [`### ${event}`, `**${level}**, ${often(rule)}`, means, `*What to do:* ${action}`]
  if (fields.length > 0) lines.push(`*Units:* ${fields.join(', ')}.`)
  return lines.map(wrapped).join('\n\n')
}

function often(rule: LimitRule): string {
  switch (rule.kind) {
    case 'always':
    case 'last':
      return 'each time'
    case 'within':
      return 'each time, within the limit of lines a minute'
    case 'each':
      return rule.by.length === 0 ? 'once a minute' : `once a minute for each ${names(rule.by)}`
    case 'sum':
      return `never left out: ${names(rule.of)} are added up for half a minute for each ${names(rule.by)}`
  }
}

const names = (fields: readonly string[]): string => fields.map(field => `\`${field}\``).join(' and ')

const COLUMNS = 120

function wrapped(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
