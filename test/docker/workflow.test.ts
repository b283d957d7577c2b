/**
 * The release workflow, as far as a machine without GitHub can tell: it parses, its parts name each other rightly, its
 * scripts are shell, and what it promises (both architectures, by digest, signed, provenance) is in it.
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
    uses: o(text.check(z.regex(/^[\w-]+\/[\w-]+@v\d+$/))),
    run: o(text),
    with: o(z.record(text, z.union([text, z.number(), z.boolean()]))),
    env: o(z.record(text, text)),
  })
  .check(z.refine(({ uses, run }) => (uses === undefined) !== (run === undefined), { error: 'either uses or run' }))

const workflow = z.strictObject({
  name: text,
  on: z.strictObject({ push: z.strictObject({ tags: z.array(text) }) }),
  permissions: z.partialRecord(permissions.def.keyType, permissions.def.valueType),
  concurrency: z.strictObject({ group: text, 'cancel-in-progress': z.boolean() }),
  env: z.record(text, text),
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

const source = readFileSync(join(ROOT, '.github/workflows/release.yaml'), 'utf8')
const document = parseDocument(source)
const parsed = workflow.safeParse(document.toJS())

t.test('it parses, and has only keys that a workflow has', t => {
  t.strictSame(document.errors, [])
  t.ok(parsed.success, parsed.error ? z.prettifyError(parsed.error) : 'and only those')
  t.end()
})

t.test('jobs and steps name each other rightly', t => {
  const { jobs } = parsed.data!
  for (const [name, { needs, steps, ...job }] of Object.entries(jobs)) {
    if (needs !== undefined) t.ok(jobs[needs], `${name} needs ${needs}`)
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

const LINTER = spawnSync('shellcheck', ['--version']).error === undefined
const skip = LINTER ? false : 'there is no shellcheck on this machine'

t.test('nothing from outside is written into its scripts', t => {
  for (const [name, { steps }] of Object.entries(parsed.data!.jobs)) {
    for (const { run } of steps) {
      if (run === undefined) continue
      // Expressions are pasted in before the shell reads: what they hold would be run.
      t.notMatch(run, /\$\{\{/, `${name}: ${run.slice(0, 40)}`)
    }
  }
  t.end()
})

t.test('its scripts are shell', { skip }, t => {
  for (const { steps } of Object.values(parsed.data!.jobs)) {
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
    join(ROOT, '.ci/run'),
  ])
  t.equal(status, 0, String(stdout))
  t.end()
})
