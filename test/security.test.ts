/** SECURITY.md does not lie: what it says is tested is, its commands and files are there. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseArgs } from '../src/cli/args.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
const policy = read('SECURITY.md')

t.test('README leads to it, and it says how to report, what is supported and what is assumed', t => {
  t.match(read('README.md'), '](SECURITY.md)')
  for (const heading of [
    'Reporting',
    'Supported versions',
    'Who is trusted with what',
    'What is tried, and what holds',
  ])
    t.ok(policy.includes(`\n## ${heading}\n`), heading)
  t.notMatch(policy, /[\w.]+@[\w-]+\.\w+/, 'no address that is not read')
  t.end()
})

t.test('every row of what is tried names a test that is there and tests something', t => {
  const table = policy.slice(policy.indexOf('## What is tried'), policy.indexOf('## What it is made of'))
  const rows = [...table.matchAll(/^\| (?!Tried|---|\*\*)(.*) \|$/gm)].map(([, row]) => row!.split(' | '))
  t.ok(rows.length >= 35)
  const named = new Set<string>()
  for (const [tried, holds, tests] of rows) {
    t.ok(tried && holds, 'each has both')
    const files = [...tests!.matchAll(/`(test\/\S+\.test\.ts)`/g)].map(([, file]) => file!)
    t.ok(files.length > 0, tried!)
    for (const file of files) {
      t.ok(existsSync(join(ROOT, file)), `${file} is there`)
      t.match(read(file), /^\s*t\.test\(/m, file)
      named.add(file)
    }
  }
  const hostile = readdirSync(join(ROOT, 'test/hostile')).filter(name => name.endsWith('.test.ts'))
  for (const name of hostile) t.ok(named.has(`test/hostile/${name}`), `${name} has a row`)
  t.end()
})

t.test('its numbers are those of the program', t => {
  const limiter = read('src/limiter.ts')
  t.match(limiter, /^const LINES = 300$/m)
  t.match(limiter, /^const BYTES = 128 \* 1024$/m)
  t.match(policy, '300 lines and 128 KiB a minute')
  t.match(read('src/termination.ts'), /^const LEAST = 0\.5$/m)
  t.match(read('k8s/component/sidecar.yaml'), /runAsUser: 65532$/m)
  t.end()
})

t.test('its commands are understood or run, and the places it names are there', t => {
  const commands = [...policy.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, text]) => text!.trim().split('\n'))
  t.equal(commands.length, 2)
  for (const command of commands) {
    const [words] = command.split('#')
    const [, args] = /^logshipper (.*)$/.exec(words!.trim()) ?? []
    if (args !== undefined) t.not(parseArgs(args.split(/ +/)).kind, 'wrong', command)
    else {
      t.match(words!.trim(), /^npm ci && docker\/verify$/)
      t.equal(spawnSync(join(ROOT, 'docker/verify')).status, 0)
    }
  }
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const [, script] of policy.matchAll(/`npm run ([\w-]+)/g)) t.ok(scripts[script!], `npm run ${script}`)
  for (const [, place] of policy.matchAll(/`((?:k8s|docker)\/[\w./-]+)`/g)) t.ok(existsSync(join(ROOT, place!)), place!)
  t.end()
})
