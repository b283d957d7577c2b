import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Command, parseArgs } from '../../src/cli/args.ts'
import { COMMANDS, type CommandName } from '../../src/cli/commands.ts'
import { helpOf } from '../../src/cli/help.ts'
import { scratch } from '../scratch.ts'

const plain = { config: undefined, paths: [], admin: undefined, json: false, backend: undefined }

t.test('a command line says what is wanted', async t => {
  const table: [string[], Command][] = [
    [[], { kind: 'run', ...plain }],
    [['run'], { kind: 'run', ...plain }],
    [['/opt/logs.txt'], { kind: 'run', ...plain, paths: ['/opt/logs.txt'] }],
    [['a.log', './run'], { kind: 'run', ...plain, paths: ['a.log', './run'] }],
    [['run', 'a.log', 'later'], { kind: 'run', ...plain, paths: ['a.log', 'later'] }],
    [['app*', '/x/y', '{a,b}'], { kind: 'run', ...plain, paths: ['app*', '/x/y', '{a,b}'] }],
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
    [
      ['doctor', '--platform', 'fargate', 'a.yaml'],
      { kind: 'doctor', files: ['a.yaml'], json: false, drainSeconds: undefined, platform: 'fargate' },
    ],
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
    [['convert', '--from', 'vector', 'v.toml'], { kind: 'convert', from: 'vector', file: 'v.toml' }],
    [['validate', 'fluent-bit.conf'], { kind: 'validate', ...plain, config: 'fluent-bit.conf' }],
    [['--help'], { kind: 'help', command: undefined }],
    [['help'], { kind: 'help', command: undefined }],
    [['run', 'a.log', '-h'], { kind: 'help', command: 'run' }],
    [['help', 'inject'], { kind: 'help', command: 'inject' }],
    [['--version'], { kind: 'version', form: 'number' }],
    [['version'], { kind: 'version', form: 'line' }],
    [['version', '--json'], { kind: 'version', form: 'json' }],
    [['completion', 'zsh'], { kind: 'completion', shell: 'zsh' }],
    [['validate', '--json'], { kind: 'validate', ...plain, json: true }],
    [['replay', '--json', '--backend', 'b'], { kind: 'replay', ...plain, json: true, backend: 'b' }],
  ]
  for (const [argv, command] of table) t.strictSame(parseArgs(argv), command, argv.join(' '))
})

t.test('a command line that makes no sense says why', async t => {
  const table: [string[], RegExp][] = [
    [['--confg', 'x'], /unknown option --confg.*Did you mean --config\?/],
    [['--frobnicate'], /unknown option --frobnicate/],
    [['-F', 'a.log'], /unknown option -F.*behind --/],
    [['--config'], /--config needs a value/],
    [['--config', '--json'], /--config needs a value/],
    [['-c'], /--config needs a value|-c needs a value/],
    [['validate', '--config='], /--config is empty/],
    [['validate', '-c', ''], /--config is empty/],
    [['inject', '--platform=', 'a.yaml'], /--platform is empty/],
    [['--json=1', 'status'], /--json needs no value/],
    [['status', '--json='], /--json needs no value/],
    [['--version=1'], /--version needs no value/],
    [['status', '--json', '--json'], /--json is given twice/],
    [['validate', '-c', 'a', '--config', 'b'], /--config is given twice/],
    [['--version', '--version'], /--version is given twice/],
    [['--version', '--json'], /--version stands alone, but was given --json/],
    [['--config', '', '--version'], /--version stands alone, but was given --config/],
    [['vaildate'], /neither a command nor a file: vaildate. Did you mean validate\?.*\.\/vaildate/],
    [['status', 'a.log'], /status takes no paths/],
    [['check', 'a.log'], /check takes no paths/],
    [['doctr'], /Did you mean doctor\?/],
    [['doctor'], /doctor needs the name of a manifest, or -/],
    [['inject', 'a', 'b'], /inject takes one manifest/],
    [['convert', 'x'], /convert needs --from and the name of a shipper: fluent-bit, promtail/],
    [['convert', '--from', 'vectro', 'x'], /--from is one of .*, not vectro\. Did you mean vector\?/],
    [['convert', '--from', 'vector'], /convert takes one file, or -/],
    [['convert', '--from', 'vector', 'a', 'b'], /convert takes one file/],
    [['-'], /standard input/],
    [['run', ''], /empty path/],
    [['frobnicate'], /neither a command nor a file: frobnicate\. .*\.\/frobnicate/],
    [['top'], /neither a command nor a file: top/],
    [['a.log', 'status'], /the command status must come first\. .*\.\/status/],
    [['-c', 'c.yaml', 'vaildate'], /Did you mean validate\?/],
    [['validate', 'prod'], /neither a command nor a file: prod/],
    [['help', 'frobnicate'], /help takes the name of one command: run, validate/],
    [['help', 'run', 'status'], /one command/],
    [['completion'], /completion takes one of bash, zsh, fish, but was given nothing/],
    [['completion', 'tcsh'], /one of bash, zsh, fish, but was given tcsh/],
    [['completion', 'bash', 'zsh'], /was given bash zsh/],
    [['version', 'x'], /version takes no paths/],
    [['status', '--drain-seconds', '3'], /status does not take --drain-seconds; it takes --admin, --json/],
    [['a.log', '--json'], /run does not take --json; it takes --config/],
    [['schema', '--json'], /schema does not take --json; it takes no options/],
    [['doctor', 'a.yaml', '-c', 'x'], /doctor does not take --config/],
    [['check', '--backend', 'a', '--backend', 'b'], /--backend is given twice/],
    [['run', '--config', ''], /--config is empty: is a shell variable not set\?/],
    [['inject', '--platform', 'gke', 'a.yaml'], /needs one of openshift, autopilot, fargate, not gke/],
    [['doctor', '--drain-seconds', 'soon', 'a.yaml'], /needs a number of seconds, not soon/],
  ]
  for (const [argv, message] of table) t.match(parseArgs(argv), { kind: 'wrong', message }, argv.join(' '))
})

t.test('a file that is called almost like a command is a file', async t => {
  const before = process.cwd()
  const directory = scratch(t, {})
  writeFileSync(join(directory, 'legder'), '')
  process.chdir(directory)
  t.teardown(() => process.chdir(before))
  t.match(parseArgs(['legder']), { kind: 'run', paths: ['legder'] })
})

t.test('the help names every command and option and fits a terminal, that of a command all that it takes', async t => {
  const names = Object.keys(COMMANDS) as CommandName[]
  const all = helpOf(undefined)
  for (const name of names) {
    const { options } = COMMANDS[name]
    const one = helpOf(name)
    t.match(all, new RegExp(`^ {2}logshipper \\[?${name}`, 'm'))
    t.match(one, new RegExp(`^logshipper ${name}: `))
    for (const option of options) {
      t.match(all, `--${option}`)
      t.match(one, new RegExp(`^ {2}.*--${option} `, 'm'), `${name} --${option}`)
    }
    for (const line of [...all.split('\n'), ...one.split('\n')]) t.ok(line.length <= 120, line)
  }
})
