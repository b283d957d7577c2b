import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Command, parseArgs } from '../../src/cli/args.ts'
import { HELP } from '../../src/cli/help.ts'
import { scratch } from '../scratch.ts'

const plain = { config: undefined, paths: [], admin: undefined, json: false, backend: undefined }

t.test('a command line says what is wanted', async t => {
  const table: [string[], Command][] = [
    [[], { kind: 'run', ...plain }],
    [['run'], { kind: 'run', ...plain }],
    [['/opt/logs.txt'], { kind: 'run', ...plain, paths: ['/opt/logs.txt'] }],
    [['a.log', 'run'], { kind: 'run', ...plain, paths: ['a.log', 'run'] }],
    [
      ['run', 'a.log', '--config', 'c.yaml', 'b.log'],
      { kind: 'run', ...plain, config: 'c.yaml', paths: ['a.log', 'b.log'] },
    ],
    [['--config=c.yaml'], { kind: 'run', ...plain, config: 'c.yaml' }],
    [['validate', '-c', 'c.yaml'], { kind: 'validate', ...plain, config: 'c.yaml' }],
    [['validate', 'c.yaml'], { kind: 'validate', ...plain, config: 'c.yaml' }],
    [['validate', 'a.log'], { kind: 'validate', ...plain, paths: ['a.log'] }],
    [['schema'], { kind: 'schema', ...plain }],
    [['demo'], { kind: 'demo', ...plain }],
    [['status', '--admin', '[::1]:1', '--json'], { kind: 'status', ...plain, admin: '[::1]:1', json: true }],
    [['ledger'], { kind: 'ledger', ...plain }],
    [['--', '-odd.log'], { kind: 'run', ...plain, paths: ['-odd.log'] }],
    [['nothing/like/status'], { kind: 'run', ...plain, paths: ['nothing/like/status'] }],
    [['config', 'c.yaml', '--json'], { kind: 'config', ...plain, config: 'c.yaml', json: true }],
    [['check', '--backend', 'main'], { kind: 'check', ...plain, backend: 'main' }],
    [['doctor', 'a.yaml', '-'], { kind: 'doctor', files: ['a.yaml', '-'], json: false, drainSeconds: undefined }],
    [
      ['doctor', '--json', '--drain-seconds', '2.5', 'a.yaml'],
      { kind: 'doctor', files: ['a.yaml'], json: true, drainSeconds: 2.5 },
    ],
    [['inject', '-'], { kind: 'inject', file: '-', image: undefined, volume: undefined, paths: undefined }],
    [
      ['inject', 'a.yaml', '--image', 'i', '--volume', 'v', '--paths', ''],
      { kind: 'inject', file: 'a.yaml', image: 'i', volume: 'v', paths: '' },
    ],
    [['--help'], { kind: 'help' }],
    [['run', 'a.log', '-h'], { kind: 'help' }],
    [['--version'], { kind: 'version' }],
  ]
  for (const [argv, command] of table) t.strictSame(parseArgs(argv), command, argv.join(' '))
})

t.test('a command line that makes no sense says why', async t => {
  const table: [string[], RegExp][] = [
    [['--confg', 'x'], /unknown option --confg.*Did you mean --config\?/],
    [['--frobnicate'], /unknown option --frobnicate/],
    [['-F', 'a.log'], /unknown option -F.*behind --/],
    [['--config'], /--config needs a value/],
    [['--json=1', 'status'], /--json needs no value/],
    [['vaildate'], /neither a command nor a file: vaildate. Did you mean validate\?.*\.\/vaildate/],
    [['status', 'a.log'], /status takes no paths/],
    [['check', 'a.log'], /check takes no paths/],
    [['doctr'], /Did you mean doctor\?/],
    [['doctor'], /doctor needs the name of a manifest, or -/],
    [['inject', 'a', 'b'], /inject takes one manifest/],
    [['-'], /standard input/],
    [['run', ''], /empty path/],
  ]
  for (const [argv, message] of table) t.match(parseArgs(argv), { kind: 'wrong', message }, argv.join(' '))
})

t.test('a file that is called almost like a command is a file', async t => {
  const before = process.cwd()
  const folder = scratch(t, {})
  writeFileSync(join(folder, 'legder'), '')
  process.chdir(folder)
  t.teardown(() => process.chdir(before))
  t.match(parseArgs(['legder']), { kind: 'run', paths: ['legder'] })
})

t.test('the help names every command and fits a terminal', async t => {
  for (const command of [
    'run',
    'validate',
    'schema',
    'demo',
    'status',
    'ledger',
    'replay',
    'check',
    'doctor',
    'inject',
  ])
    t.match(HELP, command)
  for (const line of HELP.split('\n')) t.ok(line.length <= 120, line)
})
