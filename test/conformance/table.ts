/** Prints the table of verdicts; with `--write` puts it into the README. */
import { readFileSync, writeFileSync } from 'node:fs'
import { SUBJECTS } from './subjects.ts'
import { placed, table } from './verdicts.ts'

const readme = new URL('../../README.md', import.meta.url)
const made = table(SUBJECTS)
if (process.argv.includes('--write')) writeFileSync(readme, placed(readFileSync(readme, 'utf8'), made))
else process.stdout.write(`${made}\n`)
