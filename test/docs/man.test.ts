/** The manual page is what the tables say now, and the programs that show manual pages find nothing wrong with it. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { man } from '../../docs/generate/man.ts'
import { COMMANDS, type CommandName, OPTIONS } from '../../src/cli/commands.ts'
import { exitCodesOf } from '../../src/cli/exit.ts'
import { ROOT } from './documents.ts'

const FILE = join(ROOT, 'docs/logshipper.1')
const missing = (program: string) =>
  spawnSync(program, ['-h']).error === undefined ? false : `${program} is not installed`

t.test('the committed page is the present one, and npm installs it', t => {
  t.equal(readFileSync(FILE, 'utf8'), man(), 'npm run docs makes it anew')
  const { man: page, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.equal(page, 'docs/logshipper.1')
  t.ok(files.includes(page))
  t.end()
})

t.test('it has every command with its exit codes, and every option', t => {
  const text = man().replaceAll('\\-', '-').replaceAll('\n', ' ')
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const [, section] = new RegExp(`\\.SS ${name} (.*?)(?=\\.S[SH] )`).exec(text) ?? []
    for (const { code, means } of exitCodesOf(name)) t.ok(section?.includes(`.B ${code} ${means}.`), `${name} ${code}`)
  }
  for (const name of Object.keys(OPTIONS)) t.ok(text.includes(`\\fB--${name}\\fR`), name)
  t.ok(
    man()
      .split('\n')
      .every(line => line.length <= 80 || line.startsWith('.')),
  )
  t.match(man(), /^[\x20-\x7e\n]+$/, 'no locale matters')
  t.end()
})

t.test('man shows it without a warning', { skip: missing('man') }, t => {
  const env = { ...process.env, MANPAGER: 'cat', MANWIDTH: '80', LC_ALL: 'C.UTF-8' }
  const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', FILE], { env, encoding: 'utf8' })
  t.equal(status, 0)
  t.equal(stderr, '')
  t.match(stdout, 'ship log files')
  t.end()
})

t.test('mandoc finds nothing wrong with it but that it has no date', { skip: missing('mandoc') }, t => {
  const { stdout, stderr } = spawnSync('mandoc', ['-Tlint', FILE], { encoding: 'utf8' })
  const wrong = `${stdout}${stderr}`.split('\n').filter(line => line !== '' && !line.includes('missing date'))
  t.strictSame(wrong, [])
  t.end()
})
