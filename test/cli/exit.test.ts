/** Every command ends with each of the codes that its help lists, and with no other; and it colours nothing. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseArgs } from '../../src/cli/args.ts'
import { COMMANDS, type CommandName, isCommand, OPTIONS, type Option } from '../../src/cli/commands.ts'
import { EXIT, EXIT_CODES, exitCodesOf } from '../../src/cli/exit.ts'
import { CLOCK } from '../../src/clock.ts'
import { startServer } from '../../src/server/server.ts'
import { PROGRAM } from '../program.ts'
import { scratch } from '../scratch.ts'
import { Stage } from '../server/rig.ts'
import { Journal } from '../tail/rig.ts'
import { inside } from './inside.ts'
import { type Ended, GOOD } from './manifests.ts'

const NAMES = Object.keys(COMMANDS) as CommandName[]
const stage = new Stage()
const running = await startServer({ port: null, admin: { host: '127.0.0.1', port: 0 } }, stage, new Journal(), CLOCK)
t.teardown(() => running.close())
const admin = `--admin=127.0.0.1:${running.ports.adminPort}`
/** Port 0 takes no connection. */
const nowhere = '--admin=127.0.0.1:0'

const directory = scratch(t, { 'app.log': 'one\n{"level":"info"}\n' })
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const log = join(directory, 'app.log')
const source = { name: 'app', paths: [join(directory, '*.log')], parse: 'json' }
const state = { dir: join(directory, 'state') }
const valid = file('valid.json', JSON.stringify({ sources: [source], state }))
const invalid = file('invalid.yaml', 'sorces: 1\n')
/** Port 1 of loopback, which only root could listen on. */
const refused = file(
  'refused.json',
  JSON.stringify({ sources: [source], state, backends: [{ type: 'http', endpoint: 'http://127.0.0.1:1/' }] }),
)
const good = file('good.yaml', GOOD)
const bare = file(
  'bare.yaml',
  GOOD.replace(/ {2}initContainers:[\s\S]*?(?= {2}containers:)/, '').replace(/\n {4}- name: state\n.*\n.*/, ''),
)

/** Within this process, where a command has a function for it; else as a process. */
const WITHIN: readonly (readonly [args: string[], code: number, input?: string])[] = [
  [['validate', valid], 0],
  [['validate', '--json', invalid], 2],
  [['test', '-c', valid], 0, '{"a":1}\n'],
  [['test', '-c', valid, '--strict'], 1, 'no JSON\n'],
  [['test', '-c', invalid], 2, 'x\n'],
  [['explain', '-c', valid, `${log}:2`], 0],
  [['explain', '-c', valid, '--strict', `${log}:1`], 1],
  [['explain', '-c', valid, `${log}:9`], 2],
  [['check', '-c', valid], 0],
  [['check', '-c', refused], 1],
  [['check', '-c', invalid], 2],
  [['status', admin], 0],
  [['status', nowhere], 1],
  [['ledger', admin], 0],
  [['ledger', nowhere], 1],
  [['tap', nowhere], 1],
  [['prestop', admin], 0],
  [['prestop', nowhere], 1],
  [['doctor', good], 0],
  [['doctor', good.replace('good', 'none')], 2],
  [['inject', bare], 0],
  [['inject', good.replace('good', 'none')], 2],
  [['convert', '--from', 'vector', good.replace('good', 'none')], 2],
]

const PROCESSES: readonly (readonly [args: string[], code: number])[] = [
  [['config', valid], 0],
  [['config', invalid], 2],
  [['completion', 'bash'], 0],
  [['help'], 0],
  [['schema'], 0],
]

/** What takes a running shipper, a manifest of its own or a process, in the test that shows it. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, shows: string]>> = {
  'run 2': ['shipper/ends.test.ts', 't.equal((await second.ended).code, 2)'],
  'run 0': ['shipper/ends.test.ts', 't.equal((await program.ended).code, 0)'],
  'run 3': ['shipper/ends.test.ts', 't.equal(code, 3)'],
  'replay 1': ['cli/replay.test.ts', 'code: 1'],
  'replay 3': ['cli/replay.test.ts', 't.equal(first.code, 3)'],
  'replay 0': ['cli/replay.test.ts', 't.same(await stage.replay(), { code: 0'],
  'replay 2': ['cli/replay.test.ts', 'code: 2'],
  'bundle 1': ['cli/bundle.test.ts', 't.equal(code, 1)'],
  'bundle 0': ['cli/bundle.test.ts', 't.equal(code, 0, err)'],
  'tap 0': ['cli/tap.test.ts', 't.equal(await code, 0)'],
  'convert 0': ['cli/convert.test.ts', 't.equal(code, 0, err)'],
  // A bug that is known would be none.
  'convert 1': ['../src/cli/convert.ts', 'EXIT.unexpected'],
  'convert 3': ['cli/convert.test.ts', 't.equal(code, 3)'],
  'doctor 1': ['cli/doctor.test.ts', "join(dir, 'b.yaml')])\n  t.equal(code, 1)"],
  'inject 1': ['cli/inject.test.ts', "logshipper(['inject', file])\n  t.equal(code, 1)"],
  'version 0': ['cli/version.test.ts', "logshipper(['--version']), { code: 0"],
  'demo 0': ['cli/demo.test.ts', 't.equal(await ended, 0, output())'],
  'demo 1': ['cli/demo.test.ts', 't.equal(await ended, 1, output())'],
  'demo 130': ['cli/demo.test.ts', 't.equal(await ended, 130)'],
}

/** Each command and code that was seen. */
const seen = new Set<string>(Object.keys(ELSEWHERE))

function look(args: readonly string[], ended: Ended, code: number): void {
  const [name] = args
  t.equal(ended.code, code, `${args.join(' ')}: ${ended.err}`)
  t.notMatch(ended.out + ended.err, /\x1b/, `${name} colours nothing`)
  seen.add(`${name} ${ended.code}`)
}

t.test('what a script may ask answers in JSON', async t => {
  t.strictSame(JSON.parse((await inside(['prestop', '--json', admin])).out), { told: true })
  const { code, out, err } = await inside(['prestop', '--json', nowhere])
  t.equal(code, 1)
  t.match(JSON.parse(out), { told: false, why: /^cannot connect to 127\.0\.0\.1:0/ })
  t.match(err, /^logshipper: cannot connect/)
  const without = NAMES.filter(name => !(COMMANDS[name].options as readonly Option[]).includes('json'))
  // Those print a document of another kind, or run until they are ended.
  t.strictSame(without.sort(), ['bundle', 'completion', 'convert', 'demo', 'help', 'inject', 'run', 'schema'])
  t.end()
})

t.test('each command ends with the codes that its help lists, and colours nothing', async t => {
  for (const [args, code, input] of WITHIN) look(args, await inside(args, input), code)
  // What would make other programs colour what no terminal reads.
  const env = { ...process.env, FORCE_COLOR: '1', CLICOLOR_FORCE: '1', TERM: 'xterm-256color' }
  for (const [args, code] of PROCESSES) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { env, encoding: 'utf8' })
    look(args, { code: status, out: stdout, err: stderr }, code)
  }
  for (const name of NAMES) {
    const { kind } = parseArgs([name, '--no-such-option'])
    t.equal(kind, 'wrong', `${name} refuses what it does not know, with 2`)
    seen.add(`${name} ${EXIT.configuration}`)
  }
  const listed = NAMES.flatMap(name => exitCodesOf(name).map(({ code }) => `${name} ${code}`))
  t.strictSame([...seen].sort(), listed.sort())
  for (const [name, [test, shows]] of Object.entries(ELSEWHERE))
    t.ok(readFileSync(join(import.meta.dirname, '..', test), 'utf8').includes(shows), name)
})

t.test('the table of all commands has each code once, and each that a command has', t => {
  const codes = EXIT_CODES.map(({ code }) => code)
  t.strictSame(codes, Object.values(EXIT))
  for (const name of NAMES) {
    const own = exitCodesOf(name).map(({ code }) => code)
    t.strictSame(
      own,
      [...new Set(own)].sort((a, b) => a - b),
      `${name}: each once, in order`,
    )
    t.ok(
      own.every(code => (codes as number[]).includes(code)),
      name,
    )
    for (const { means } of exitCodesOf(name)) t.match(means, /^[a-z].*[^.]$/)
  }
  t.end()
})

const TERMINAL = spawnSync('script', ['--version']).status === 0 ? false : 'script is not installed'

t.test('on a terminal nothing is coloured either, with NO_COLOR or without', { skip: TERMINAL }, t => {
  const env = { ...process.env, TERM: 'xterm-256color' }
  for (const [args, set] of [
    [['help'], {}],
    [['validate', invalid], { NO_COLOR: '1' }],
  ] as const) {
    const command = [process.execPath, PROGRAM, ...args].map(word => `'${word}'`).join(' ')
    const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
      env: { ...env, ...set },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    t.match(stdout, args[0] === 'help' ? /^usage/m : /sorces/)
    t.notMatch(stdout, /\x1b/, args.join(' '))
  }
  t.end()
})

t.test('every option is one of a command, or of all', t => {
  const taken = new Set<string>(['help', 'version', ...NAMES.flatMap(name => COMMANDS[name].options)])
  t.strictSame(Object.keys(OPTIONS).sort(), [...taken].sort())
  t.ok(NAMES.every(isCommand))
  t.end()
})
