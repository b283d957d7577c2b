/** What is said of configured paths, where they are looked at: each says what is there, and what is allowed. */
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inWords, remarksOn, sayRemarks } from '../../src/cli/sources.ts'
import type { SourceOptions } from '../../src/tail/options.ts'
import { plant, scratch } from '../scratch.ts'
import { Journal, source } from '../tail/rig.ts'

/** A volume as an application leaves it, and what is said of paths below it. */
function volume(t: Test) {
  const dir = scratch(t, {
    logs: { 'app.log': 'a line\n', 'other.txt': '', old: { 'app.log': '' } },
    empty: {},
    secret: 'x',
  })
  const at = (path: string) => join(dir, path)
  execFileSync('mkfifo', [at('logs/pipe')])
  symlinkSync(at('secret'), at('logs/link'))
  const said = (sources: readonly SourceOptions[]) =>
    remarksOn(sources).map(remark => `${remark.kind}: ${inWords(remark)}`.replaceAll(`${dir}/`, ''))
  /** Of one source. */
  const of = (path: string, ...exclude: string[]) => said([source(at(path), { exclude: exclude.map(at) })])
  return { at, said, of }
}

t.test('of what matches a file that can be followed nothing is said', t => {
  const { of } = volume(t)
  for (const path of ['logs/app.log', 'logs/*', '**/*.log', 'logs/{app,none}.log', 'logs/*.log']) {
    t.strictSame(of(path), [], path)
  }
  t.strictSame(of('**/*.log', 'logs/old/**'), [])
  t.end()
})

t.test('what matches nothing yet is told with what is there instead', t => {
  const { of } = volume(t)
  t.strictSame(of('logs/*.json'), [
    'note: source app: logs/*.json: matches nothing yet: logs has other names, such as app.log',
  ])
  t.strictSame(of('empty/*'), ['note: source app: empty/*: matches nothing yet: empty is empty'])
  t.strictSame(of('logs/ap.log'), [
    'note: source app: logs/ap.log: matches nothing yet: logs has other names, such as app.log (did you mean logs/app.log?)',
  ])
  t.strictSame(of('lgos/deep/*.log'), [
    'note: source app: lgos/deep/*.log: matches nothing yet: lgos is not there (did you mean logs?)',
  ])
  t.strictSame(of('{nowhere,logs}/*.json'), [
    'note: source app: {nowhere,logs}/*.json: matches nothing yet: files called *.json are looked for in nowhere, logs',
  ])
  t.end()
})

t.test('a directory that is written where files are meant is told with the two globs that mean its files', t => {
  const { of } = volume(t)
  t.strictSame(of('logs/old'), [
    'doubt: source app: logs/old: is a directory: logs/old/* means the files in it, logs/old/**/* also those in its subdirectories',
  ])
  t.end()
})

t.test('what matches and cannot be followed is told by name, with the reason', t => {
  const { of } = volume(t)
  t.strictSame(of('logs/pipe'), [
    'doubt: source app: logs/pipe: is a FIFO; regular files are followed that may be read',
  ])
  t.match(of('logs/l*k'), [
    /^doubt: source app: logs\/l\*k: matches nothing but what is not followed, such as logs\/link: a link that leads out/,
  ])
  t.end()
})

t.test('a pattern of which exclude leaves nothing is told, whether its files are there or not', t => {
  const { of } = volume(t)
  const words = 'matches nothing that is not excluded:'
  t.strictSame(of('logs/*.log', 'logs/app*'), [`doubt: source app: logs/*.log: ${words} logs/app*`])
  t.strictSame(of('later/*.log', 'later/**'), [`doubt: source app: later/*.log: ${words} later/**`])
  t.strictSame(of('logs/later.log', 'logs/*.log'), [`doubt: source app: logs/later.log: ${words} logs/*.log`])
  t.end()
})

t.test('what was probably meant otherwise is told where it matches nothing', t => {
  const { of } = volume(t)
  const [doubt, note, ...others] = of('$(POD)/*.log')
  t.match(doubt, /^doubt: .*\$\(NAME\) was not expanded/)
  t.match(note, /^note: .*\$\(POD\) is not there/)
  t.strictSame(others, [])
  t.end()
})

t.test('two sources that want the same file are told once for each pair', t => {
  const { at, said } = volume(t)
  const named = (name: string, path: string) => source(at(path), { name })
  t.strictSame(said([named('text', 'logs/*.txt'), named('all', 'logs/*'), named('deep', '**/*.log')]), [
    'doubt: source text: logs/x.txt: matches source all too: text, which is listed first, gets it, and all does not',
    'doubt: source all: logs/x.log: matches source deep too: all, which is listed first, gets it, and deep does not',
  ])
  t.strictSame(
    said([named('all', 'logs/*'), named('none', 'logs/*.txt')]),
    [],
    'that one gets nothing is said elsewhere',
  )
  t.end()
})

t.test('of a directory of more names than are looked at nothing is said that was not seen', t => {
  const dir = scratch(t)
  plant(dir, 21_000, n => `${n}.txt`)
  t.strictSame(remarksOn([source(join(dir, '*.log'))]), [])
  t.end()
})

t.test('when a configuration begins to be in use doubts are warnings and the rest is told', t => {
  const { at } = volume(t)
  const journal = new Journal()
  sayRemarks([source(at('logs/old')), source(at('logs/none.log'), { name: 'none' })], journal)
  t.match(
    journal.said.map(({ level, fields }) => [level, fields['event'], fields['source'], fields['path']]),
    [
      ['warn', 'path_doubtful', 'app', at('logs/old')],
      ['info', 'path_matches_nothing', 'none', at('logs/none.log')],
    ],
  )
  t.end()
})
