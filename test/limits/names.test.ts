/** The application may call its files what it likes: no name does harm to the log, the metrics, the pages or a request. */
import { linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Stage, until } from '../program.ts'

t.setTimeout(170_000)

const NAMES = {
  'a line feed': 'new\nline.log',
  'control characters': 'carriage\r\x01return.log',
  'a terminal’s colours': 'esc\x1b[31m\x1b]0;title\x07.log',
  'what JSON escapes': 'quote"back\\slash.log',
  'what a metric’s label escapes': 'brace{le="+Inf"}.log',
  'bidirectional text': 'a\u202egol.log',
  'nothing but its ending': '.log',
  'a name of 255 bytes': `${'n'.repeat(251)}.log`,
} as const
/** The longest path that the kernel takes has 4095 bytes (PATH_MAX, with its NUL). */
const PATH_MAX = 4095

t.test('names of every kind are followed, and shown as what they are or not at all', async t => {
  const stage = await Stage.set(t)
  for (const name of Object.values(NAMES)) stage.write(3, join(stage.logs, name))
  const program = await stage.start()
  t.ok(await stage.arrived())
  // Rotated, truncated and refused ones are spoken of too.
  for (const name of Object.values(NAMES)) {
    const path = join(stage.logs, name)
    if (name.length < 250) renameSync(path, `${path}.1`)
    writeFileSync(path, stage.take(1))
    mkdirSync(join(stage.logs, `directory ${name.slice(0, 40)}.log`))
  }
  writeFileSync(
    Buffer.concat([Buffer.from(`${stage.logs}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.log')]),
    'lost\n',
  )
  t.ok(await stage.arrived())
  t.ok(await until(() => program.says('a path is not followed')))
  const files = new Set(stage.receiver.records.map(({ file }) => file.slice(stage.logs.length + 1)))
  for (const [what, name] of Object.entries(NAMES)) t.ok(files.has(name), `${what}: the receiver is told the name`)

  const status = JSON.parse((await program.get('/status', 'adminPort')).text) as { refused: { reason: string }[] }
  t.ok(status.refused.some(({ reason }) => reason === 'a name that is not UTF-8'))
  t.equal((await program.get('/livez')).status, 200)
  const { text } = await program.get('/metrics')
  const wrong = text.split('\n').filter(line => !/^(#.*|[a-z_]+(\{.*\})? [-+.\dA-Za-z]+|)$/.test(line))
  t.strictSame(wrong, [], 'every line of the metrics is one')
  const page = (await program.get('/', 'adminPort')).text
  t.notMatch(page, /[\x00-\x08\x0b-\x1f\u202e]/, 'nothing on the page steers anything')
  t.equal((await program.kill('SIGTERM')).code, 0)
  t.notMatch(program.raw, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, 'no control character reaches a terminal by the log')
  stage.complete(t, { ordered: false })
})

t.test('a path as long as the kernel takes, and one that is longer', async t => {
  const stage = await Stage.set(t)
  let directory = stage.logs
  while (PATH_MAX - directory.length > 300) directory = join(directory, 'd'.repeat(200))
  mkdirSync(directory, { recursive: true })
  const longest = join(directory, `${'f'.repeat(PATH_MAX - directory.length - 5)}.log`)
  t.equal(longest.length, PATH_MAX)
  stage.write(3, longest)
  const program = await stage.start({ LOGSHIPPER_SOURCE_PATHS: join(stage.logs, '**/*.log') })
  stage.write(3)
  t.ok(await stage.arrived())
  // There is no room for the ending that a rotation adds: whoever renames it gives it a shorter name.
  renameSync(longest, join(directory, 'f.log.1'))
  stage.write(3, join(directory, 'f.log.1'))
  stage.write(3, longest)
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t, { ordered: false })
})

t.test('a second name of a file is not a second file, whichever directory it is in', async t => {
  const stage = await Stage.set(t)
  mkdirSync(join(stage.logs, 'deeper'))
  stage.write(5)
  linkSync(stage.log, join(stage.logs, 'deeper/same.log'))
  const program = await stage.start({ LOGSHIPPER_SOURCE_PATHS: join(stage.logs, '**/*.log') })
  stage.write(5)
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t)
})
