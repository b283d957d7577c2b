import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { applyEnvironment, variables } from '../../src/config/environment.ts'
import { keysOf } from '../../src/config/keys.ts'
import { jsonSchema } from '../../src/config/schema.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: string
  readonly description?: string
  readonly default?: unknown
  readonly 'x-unit'?: string
  readonly 'x-range'?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly additionalProperties?: boolean | Schema
}

t.test('editors get a schema that knows every key, its default and what it is for', async t => {
  const schema = JSON.parse(JSON.stringify(jsonSchema()))
  t.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  t.equal(schema.additionalProperties, false)
  t.equal(schema.required, undefined, 'an empty file is well-formed')
  t.same(Object.keys(schema.properties), [
    'sources',
    'backends',
    'state',
    'volume',
    'memory',
    'drain',
    'pod',
    'server',
    'log',
    '$schema',
  ])
  t.match(schema.properties.memory.properties.budget, { description: /8MiB/ })
  const types = schema.properties.backends.items.oneOf
  t.same(types.map((type: { properties: { type: { const: string } } }) => type.properties.type.const).slice(0, 2), [
    'stdout',
    'http',
  ])
  t.notOk(types[0].properties.auth, 'what is no server takes no credentials')
  t.match(types[1].properties.compression.default, 'gzip')
})

t.test('every scalar, list and map has a variable, and no two share one', async t => {
  const known = variables(keysOf(jsonSchema()))
  const names = [...known.keys()]
  for (const name of [
    'LOGSHIPPER_SOURCE_NAME',
    'LOGSHIPPER_SOURCE_PATHS',
    'LOGSHIPPER_SOURCE_LABELS',
    'LOGSHIPPER_SOURCE_MAX_LINE_BYTES',
    'LOGSHIPPER_BACKEND_TYPE',
    'LOGSHIPPER_BACKEND_ENDPOINT',
    'LOGSHIPPER_BACKEND_AUTH_BEARER',
    'LOGSHIPPER_BACKEND_AUTH_BEARER_FILE',
    'LOGSHIPPER_BACKEND_AUTH_API_KEY_VALUE_ENV',
    'LOGSHIPPER_BACKEND_TLS_INSECURE_SKIP_VERIFY',
    'LOGSHIPPER_STATE_DIR',
    'LOGSHIPPER_MEMORY_BUDGET',
    'LOGSHIPPER_DRAIN_GRACE_PERIOD',
    'LOGSHIPPER_SERVER_PORT',
    'LOGSHIPPER_SERVER_ADMIN',
    'LOGSHIPPER_LOG_LEVEL',
  ]) {
    t.ok(names.includes(name), name)
  }
  const paths = [...known.values()].map(({ path }) => path.join('.'))
  t.equal(new Set(paths).size, names.length)
  t.notOk(names.includes('LOGSHIPPER_BACKEND'), 'a backend is no value')
})

t.test('a variable reaches its key through whatever stands in its way', async t => {
  const known = variables(keysOf(jsonSchema()))
  const tree = { backends: [{ auth: { bearer: { env: 'A' } } }], state: 'nonsense' }
  const env = { LOGSHIPPER_BACKEND_AUTH_BEARER_FILE: '/t', LOGSHIPPER_STATE_DIR: '/s' }
  const { origins, problems } = applyEnvironment(tree, env, known)
  t.same(JSON.parse(JSON.stringify(tree)), { backends: [{ auth: { bearer: { file: '/t' } } }], state: { dir: '/s' } })
  t.same(
    [...origins.keys()],
    ['backends[0].auth.bearer', 'state.dir'].map((key, index) => (index === 0 ? `${key}.file` : key)),
  )
  t.same(problems, [])
})

t.test('every key is described; a size and a duration have their unit and their range', t => {
  const walk = (schema: Schema, path: string): void => {
    for (const [name, part] of Object.entries(schema.properties ?? {})) {
      const at = path === '' ? name : `${path}.${name}`
      t.match(part.description, /^.+\.$/, at)
      if (part.type?.includes('number') && typeof part.type !== 'string' && part.default !== 9614)
        t.match([part['x-unit'], part['x-range']], [/^size|duration$/, /^\S+ to \S+$/], at)
      walk(part, at)
    }
    if (schema.items) walk(schema.items, `${path}[]`)
    for (const one of schema.oneOf ?? []) walk(one, `${path}.${one.properties!['type']!.const}`)
    for (const [at, one] of (schema.anyOf ?? []).entries()) walk(one, `${path}|${at}`)
    if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${path}.*`)
  }
  walk(JSON.parse(JSON.stringify(jsonSchema())), '')
  t.end()
})

t.test('a schema that cannot be generated leaves the file as it was', t => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  const dir = t.testdir({ config: { 'schema.json': 'before' }, bin: {} })
  const run = (node: string) => {
    writeFileSync(join(dir, 'bin/node'), `#!/bin/sh\n${node}\n`, { mode: 0o755 })
    const env = { PATH: `${join(dir, 'bin')}:${process.env['PATH']}` }
    return spawnSync('sh', ['-c', scripts.schema], { cwd: dir, env }).status
  }
  t.not(run('echo "{"; exit 1'), 0)
  t.equal(readFileSync(join(dir, 'config/schema.json'), 'utf8'), 'before')
  t.strictSame(readdirSync(join(dir, 'config')), ['schema.json'])
  t.equal(run('echo "$2"'), 0)
  t.equal(readFileSync(join(dir, 'config/schema.json'), 'utf8'), 'schema\n')
  t.end()
})
