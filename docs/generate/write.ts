/** `npm run docs`: writes the generated parts of the documentation. */
import { readFileSync, writeFileSync } from 'node:fs'
import { PARTS, placed } from './parts.ts'

for (const part of PARTS) {
  const file = new URL(`../${part.file}`, import.meta.url)
  writeFileSync(file, placed(part, readFileSync(file, 'utf8'), part.text()))
}
