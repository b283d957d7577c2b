/**
 * The workflows, as far as a machine without GitHub can tell: they parse, their parts name each other rightly, their
 * scripts are shell, what they use of others is named by commit, and what the release promises (both architectures, by
 * digest, signed, provenance) is in it.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocument } from 'yaml'
import * as z from 'zod/mini'

const ROOT = join(import.meta.dirname, '../..')
const o = z.optional
const text = z.string()
const permissions = z.record(
  z.enum(['contents', 'packages', 'id-token', 'attestations']),
  z.enum(['read', 'write', 'none']),
)

const step = z
  .strictObject({
    id: o(text),
    name: o(text),
    uses: o(text.check(z.regex(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/))),
    run: o(text),
    with: o(z.record(text, z.union([text, z.number(), z.boolean()]))),
    env: o(z.record(text, text)),
  })
  .check(z.refine(({ uses, run }) => (uses === undefined) !== (run === undefined), { error: 'either uses or run' }))

const workflow = z.strictObject({
  name: text,
  on: z.strictObject({
    push: o(z.strictObject({ tags: o(z.array(text)), branches: o(z.array(text)) })),
    pull_request: o(z.strictObject({})),
    schedule: o(z.array(z.strictObject({ cron: text.check(z.regex(/^(\S+ ){4}\S+$/)) }))),
    workflow_dispatch: o(z.strictObject({})),
  }),
  permissions: z.partialRecord(permissions.def.keyType, permissions.def.valueType),
  concurrency: z.strictObject({ group: text, 'cancel-in-progress': z.boolean() }),
  env: o(z.record(text, text)),
  jobs: z.record(
    text,
    z.strictObject({
      needs: o(text),
      'runs-on': text,
      'timeout-minutes': z.int(),
      permissions: o(z.partialRecord(permissions.def.keyType, permissions.def.valueType)),
      strategy: o(
        z.strictObject({
          'fail-fast': z.boolean(),
          matrix: z.strictObject({ include: z.array(z.record(text, text)) }),
        }),
      ),
      steps: z.array(step),
    }),
  ),
})

const FOLDER = join(ROOT, '.github/workflows')
const workflows = readdirSync(FOLDER).map(name => {
  const source = readFileSync(join(FOLDER, name), 'utf8')
  const document = parseDocument(source)
  return { name, source, errors: document.errors, parsed: workflow.safeParse(document.toJS()) }
})
const { source } = workflows.find(({ name }) => name === 'release.yaml')!
const jobs = workflows.flatMap(({ name, parsed }) =>
  Object.entries(parsed.data?.jobs ?? {}).map(([job, each]) => ({ name: `${name}: ${job}`, workflow: name, ...each })),
)

t.test('they parse, and have only keys that a workflow has', t => {
  t.strictSame(workflows.map(({ name }) => name).sort(), ['release.yaml', 'scan.yaml', 'test.yaml'])
  for (const { name, errors, parsed } of workflows) {
    t.strictSame(errors, [], name)
    t.ok(parsed.success, parsed.error ? `${name}: ${z.prettifyError(parsed.error)}` : `${name}: and only those`)
  }
  t.end()
})

t.test('what they use of others is named by commit, with its version beside it, and the same everywhere', t => {
  const commits = new Map<string, string>()
  for (const { name, source } of workflows) {
    const lines = source.split('\n').filter(line => /^\s*(- )?uses:/.test(line))
    t.ok(lines.length > 0, name)
    for (const line of lines) {
      const [, action, pin] = /uses: (\S+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? []
      t.ok(action, `${name}: ${line.trim()}`)
      t.equal(pin, commits.get(action!) ?? pin, action!)
      commits.set(action!, pin!)
    }
  }
  t.end()
})

t.test('jobs and steps name each other rightly', t => {
  for (const { name, workflow, needs, steps, ...job } of jobs) {
    if (needs !== undefined) t.ok(workflows.find(w => w.name === workflow)!.parsed.data!.jobs[needs], `needs ${needs}`)
    const known = new Set<string>()
    for (const each of steps) {
      for (const [, id] of JSON.stringify(each).matchAll(/steps\.([\w-]+)\./g))
        t.ok(known.has(id!), `${name}: steps.${id}`)
      if (each.id) known.add(each.id)
    }
    const keys = new Set(job.strategy?.matrix.include.flatMap(each => Object.keys(each)))
    for (const [, key] of JSON.stringify([job, steps]).matchAll(/matrix\.(\w+)/g))
      t.ok(keys.has(key!), `${name}: matrix.${key}`)
  }
  t.end()
})

t.test('every week the image is built anew from its base, and looked through', t => {
  const { source, parsed } = workflows.find(({ name }) => name === 'scan.yaml')!
  t.match(parsed.data!.on.schedule![0]!.cron, /^\d+ \d+ \* \* [0-6]$/)
  for (const promise of ['pull: true', 'no-cache: true', 'npm audit --package-lock-only', 'anchore/scan-action'])
    t.ok(source.includes(promise), promise)
  t.strictSame(parsed.data!.permissions, { contents: 'read' }, 'it may change nothing')
  t.end()
})

t.test('every push and every pull request is tested, and may change nothing', t => {
  const { source, parsed } = workflows.find(({ name }) => name === 'test.yaml')!
  t.strictSame(parsed.data!.on, { push: { branches: ['main'] }, pull_request: {} })
  t.strictSame(parsed.data!.permissions, { contents: 'read' })
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts as Record<string, string>
  const run = [...source.matchAll(/npm (?:run (?:-s )?)?([a-z]+)/g)].map(([, name]) => name!)
  for (const name of run) t.ok(name === 'ci' || scripts[name], name)
  for (const name of ['typecheck', 'lint', 'test', 'torture', 'schema', 'docs']) t.ok(run.includes(name), name)
  const packages = readFileSync(join(ROOT, '.ci/run'), 'utf8')
  const [, tools] = /apt-get install .*--no-install-recommends (.*)$/m.exec(source)!
  for (const tool of tools!.split(' ')) t.ok(packages.includes(tool), `${tool} is in .ci/run too`)
  t.end()
})

t.test('the version of Node is the same wherever it is named', t => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  const named = readFileSync(join(ROOT, '.node-version'), 'utf8').trim()
  for (const [name, version] of Object.entries(optionalDependencies)) t.equal(version, named, name)
  for (const { name, source } of workflows)
    for (const [, version] of source.matchAll(/node-version: '(\d+)'/g)) t.equal(version, named.split('.')[0], name)
  t.end()
})

t.test('updates are looked for, but of the Node that is chosen by hand', t => {
  const document = parseDocument(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8'))
  t.strictSame(document.errors, [])
  const { version, updates } = document.toJS() as {
    version: number
    updates: { 'package-ecosystem': string; directory: string; ignore?: { 'dependency-name': string }[] }[]
  }
  t.equal(version, 2)
  t.strictSame(
    updates.map(each => [each['package-ecosystem'], each.directory]),
    [
      ['npm', '/'],
      ['github-actions', '/'],
    ],
  )
  const ignored = updates[0]!.ignore!.map(each => new RegExp(`^${each['dependency-name'].replace('*', '.*')}$`))
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  for (const name of Object.keys(optionalDependencies))
    t.ok(
      ignored.some(each => each.test(name)),
      name,
    )
  t.end()
})

t.test('the forms for issues are whole', t => {
  const directory = join(ROOT, '.github/ISSUE_TEMPLATE')
  for (const name of readdirSync(directory).filter(each => each !== 'config.yml')) {
    const document = parseDocument(readFileSync(join(directory, name), 'utf8'))
    t.strictSame(document.errors, [], name)
    const { body } = document.toJS() as { body: { type: string; id?: string; attributes: Record<string, string> }[] }
    for (const { type, id, attributes } of body) {
      t.ok(['markdown', 'textarea', 'input'].includes(type), name)
      t.ok(type === 'markdown' ? attributes['value'] : id && attributes['label'], `${name}: ${id}`)
    }
  }
  t.end()
})

const LINTER = spawnSync('shellcheck', ['--version']).error === undefined
const skip = LINTER ? false : 'there is no shellcheck on this machine'

t.test('nothing from outside is written into its scripts', t => {
  for (const { name, steps } of jobs) {
    for (const { run } of steps) {
      if (run === undefined) continue
      // Expressions are pasted in before the shell reads: what they hold would be run.
      t.notMatch(run, /\$\{\{/, `${name}: ${run.slice(0, 40)}`)
    }
  }
  t.end()
})

t.test('its scripts are shell', { skip }, t => {
  for (const { steps } of jobs) {
    for (const { run } of steps) {
      if (run === undefined) continue
      const { status, stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], { input: run, encoding: 'utf8' })
      t.equal(status, 0, stdout)
    }
  }
  t.end()
})

t.test('what it promises is in it, and what it builds is there', t => {
  for (const promise of [
    'linux/amd64',
    'linux/arm64',
    'push-by-digest=true',
    'cosign sign',
    'cosign attest',
    'cosign verify',
    '.ci/charts package',
    '.ci/charts push',
    'provenance: mode=max',
    'sbom: true',
  ]) {
    t.ok(source.includes(promise), promise)
  }
  const file = /file: (\S+)/.exec(source)![1]!
  const dockerfile = readFileSync(join(ROOT, file), 'utf8')
  for (const [, name] of source.matchAll(/^ {12}(\w+)=\$/gm)) t.match(dockerfile, new RegExp(`^ARG ${name}\\b`, 'm'))
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts as Record<string, string>
  for (const [, name] of source.matchAll(/npm run (\w+)/g)) t.ok(scripts[name!], `npm run ${name}`)
  for (const [, path] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    for (const each of path!.split(' ')) t.ok(existsSync(join(ROOT, each)), `COPY ${each}`)
  }
  t.end()
})

t.test('the scripts of docker/ are shell', { skip }, t => {
  const scripts = readdirSync(join(ROOT, 'docker')).filter(name => ['assemble', 'build', 'verify'].includes(name))
  t.equal(scripts.length, 3)
  const { status, stdout } = spawnSync('shellcheck', [
    ...scripts.map(name => join(ROOT, 'docker', name)),
    ...['run', 'helm', 'charts'].map(name => join(ROOT, '.ci', name)),
    ...['inject', 'kustomize'].map(name => join(ROOT, 'k8s/post-renderer', name, name)),
  ])
  t.equal(status, 0, String(stdout))
  t.end()
})
