import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type About, about, inOneLine } from '../../src/cli/version.ts'
import { logshipper } from './manifests.ts'

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as About

t.test('the version stands alone for scripts, in a line for people, and in JSON', t => {
  t.strictSame(logshipper(['--version']), { code: 0, out: `${version}\n`, err: '' })
  t.equal(logshipper(['-v']).out, `${version}\n`)
  const json = JSON.parse(logshipper(['version', '--json']).out) as About
  t.match(json, { version, node: process.versions.node, platform: /^\w+\/\w+$/ })
  t.match(String(json.revision), /^(?:null|[0-9a-f]{40,64}(?:)?)$/)
  const line = logshipper(['version']).out
  t.equal(line, `${inOneLine(json)}\n`, 'one line says the same')
  t.equal(line.split(' ')[1], version)
  t.end()
})

t.test('what runs from its source has no revision, and says nothing of one', t => {
  t.equal(about().revision, null)
  const said = { version: '1.2.3', node: '26.10.0', platform: 'linux/amd64' }
  t.equal(inOneLine({ ...said, revision: null }), 'logshipper 1.2.3 (node 26.10.0, linux/amd64)')
  const revision = '0123456789abcdef0123456789abcdef01234567'
  const built = 'logshipper 1.2.3 (revision 0123456789ab, node 26.10.0, linux/amd64)'
  t.equal(inOneLine({ ...said, revision }), built)
  t.end()
})
