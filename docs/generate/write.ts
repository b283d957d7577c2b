/** `npm run docs`: writes the generated parts of the documentation, and the pages that are generated as a whole. */
import { readFileSync, writeFileSync } from 'node:fs'
import { man } from './man.ts'
import { PARTS, placed } from './parts.ts'
import { troubleshooting } from './troubleshooting.ts'

for (const part of PARTS) {
  const file = new URL(`../${part.file}`, import.meta.url)
  writeFileSync(file, placed(part, readFileSync(file, 'utf8'), part.text()))
}
writeFileSync(new URL('../troubleshooting.md', import.meta.url), troubleshooting())
writeFileSync(new URL('../logshipper.1', import.meta.url), man())
