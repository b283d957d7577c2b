/** The schema as it is published: small, complete, and of the same mind as the loader. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { ID, publishedSchema } from '../../src/config/published.ts'
import { jsonSchema } from '../../src/config/schema.ts'
import { DURATION_PATTERN, parseDuration } from '../../src/duration.ts'
import { parseAddress } from '../../src/server/options.ts'
import { parseSize, SIZE_PATTERN } from '../../src/size.ts'
import { ADDRESS_PATTERN, PROXY_PATTERN, URL_PATTERN } from '../../src/url.ts'

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any

const ROOT = join(import.meta.dirname, '../..')
const published: Json = JSON.parse(JSON.stringify(publishedSchema()))
const definitions: Readonly<Record<string, Json>> = published.$defs
const REFERENCE = '#/$defs/'

/** Every schema in `schema`, and what it is reached by. */
function* within(schema: Json): Generator<Json> {
  if (typeof schema !== 'object' || schema === null) return
  yield schema
  for (const part of Object.values(schema)) yield* within(part)
}

const references = [...within(published)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []))

/** The schema without definitions, each in its place, and with the patterns of what stands there in the end. */
function inPlace(schema: Json): Json {
  if (typeof schema !== 'object' || schema === null) return schema
  if (Array.isArray(schema)) return schema.map(inPlace)
  const { $ref, ...own } = schema
  const whole = typeof $ref === 'string' ? { ...definitions[$ref.slice(REFERENCE.length)], ...own } : own
  return Object.fromEntries(
    Object.entries(whole).map(([key, value]) => [
      key,
      key === 'pattern' && typeof value === 'string' ? value.replace(/^\\\$\\\{\|/, '') : inPlace(value),
    ]),
  )
}

t.test('it has a name that no place on the web can take over, and says what the loader’s own schema says', t => {
  const { $id, $defs, ...rest } = published
  t.equal($id, ID)
  t.match($id, /^urn:/)
  t.strictSame(inPlace(rest), JSON.parse(JSON.stringify(jsonSchema())))
  t.end()
})

t.test('each definition is used more than once, and each that is used is there', t => {
  const names = Object.keys(definitions)
  t.ok(names.length > 10)
  t.strictSame([...new Set(references)].sort(), names.map(name => REFERENCE + name).sort())
  for (const name of names) t.ok(references.filter(each => each === REFERENCE + name).length > 1, name)
  t.ok(['size', 'duration', 'secret', 'auth', 'batch'].every(name => names.includes(name)))
  t.ok(JSON.stringify(published).length * 2 < JSON.stringify(jsonSchema()).length)
  t.end()
})

t.test('a text with ${…} passes every pattern of a value, and none of a name', t => {
  const names = new Set([...within(published)].flatMap(({ propertyNames }) => (propertyNames ? [propertyNames] : [])))
  const patterns = [...within(published)].filter(({ pattern }) => typeof pattern === 'string')
  t.ok(patterns.length > 10)
  for (const schema of patterns) t.equal(schema.pattern.startsWith('\\$\\{|'), !names.has(schema), schema.pattern)
  for (const { pattern } of patterns.filter(schema => !names.has(schema)))
    t.match('a ${SOMETHING} b', new RegExp(pattern, 'u'))
  t.end()
})

/** Draft 2020-12, as much of it as the schema uses. Anything else throws: it would not be checked. */
function conforms(schema: Json, value: Json): boolean {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const each = (test: (entry: [string, Json]) => boolean): boolean =>
    kind !== 'object' || Object.entries(value).every(test)
  const check = (key: string, rule: Json): boolean => {
    switch (key) {
      case '$ref':
        return conforms(definitions[rule.slice(REFERENCE.length)], value)
      case 'type':
        return [rule].flat().some(type => type === kind || (type === 'integer' && Number.isInteger(value)))
      case 'const':
        return value === rule
      case 'enum':
        return rule.includes(value)
      case 'anyOf':
        return rule.some((one: Json) => conforms(one, value))
      case 'oneOf':
        return rule.filter((one: Json) => conforms(one, value)).length === 1
      case 'pattern':
        return kind !== 'string' || new RegExp(rule, 'u').test(value)
      case 'minLength':
        return kind !== 'string' || [...value].length >= rule
      case 'maxLength':
        return kind !== 'string' || [...value].length <= rule
      case 'minimum':
        return kind !== 'number' || value >= rule
      case 'maximum':
        return kind !== 'number' || value <= rule
      case 'exclusiveMinimum':
        return kind !== 'number' || value > rule
      case 'minItems':
        return kind !== 'array' || value.length >= rule
      case 'maxItems':
        return kind !== 'array' || value.length <= rule
      case 'items':
        return kind !== 'array' || value.every((one: Json) => conforms(rule, one))
      case 'required':
        return kind !== 'object' || rule.every((name: string) => Object.hasOwn(value, name))
      case 'properties':
        return each(([name, part]) => !Object.hasOwn(rule, name) || conforms(rule[name], part))
      case 'propertyNames':
        return each(([name]) => conforms(rule, name))
      case 'additionalProperties': {
        const known = schema.properties ?? {}
        return each(([name, part]) => Object.hasOwn(known, name) || (rule !== false && conforms(rule, part)))
      }
      case '$schema':
      case '$id':
      case '$defs':
      case 'title':
      case 'description':
      case 'default':
      case 'x-unit':
      case 'x-range':
        return true
      default:
        throw new Error(`${key} is not checked here`)
    }
  }
  return Object.entries(schema).every(([key, rule]) => check(key, rule))
}

t.test('every configuration that comes along conforms to it', t => {
  const files = globSync('config/*.yaml', { cwd: ROOT })
  t.ok(files.length > 15)
  for (const file of files) t.ok(conforms(published, parse(readFileSync(join(ROOT, file), 'utf8'))), file)
  t.ok(conforms(published, { $schema: './schema.json', sources: [{ paths: ['/var/log/app/*.log'] }] }))
  t.end()
})

t.test('what the loader refuses in a size, a duration or an address an editor marks', t => {
  const http = (more: object) => ({ backends: [{ type: 'http', endpoint: 'http://logs:8080/', ...more }] })
  for (const [value, fits] of [
    [{ memory: { budget: '5 megs' } }, false],
    [{ memory: { budget: '5MiB' } }, true],
    [{ memory: { budget: '${BUDGET:-5MiB}' } }, true],
    [{ memory: { budget: 1 } }, false],
    [{ drain: { gracePeriod: 30 } }, false],
    [{ drain: { gracePeriod: '30' } }, false],
    [{ drain: { gracePeriod: 0 } }, true],
    [{ drain: { gracePeriod: '1m30s' } }, true],
    [{ server: { admin: '9615' } }, false],
    [{ server: { admin: '[::1]:9615' } }, true],
    [{ server: { admin: 'off' } }, true],
    [{ server: { admin: false } }, true],
    [http({}), true],
    [http({ endpoint: 'logs:8080' }), false],
    [http({ endpoint: 'http://user:password@logs/' }), false],
    [http({ proxy: { url: 'proxy:3128' } }), true],
    [http({ proxy: { url: 'socks5://proxy' } }), false],
    [http({ auth: { bearer: { file: '/run/token' } } }), true],
    [http({ auth: { bearer: { file: 'token' } } }), false],
    [{ sorces: [] }, false],
  ] as const)
    t.equal(conforms(published, value), fits, JSON.stringify(value))
  t.end()
})

t.test('the patterns and the readers take the same texts', t => {
  const agree = (pattern: string, reads: (text: string) => boolean, texts: readonly string[]) => {
    for (const text of texts) t.equal(new RegExp(pattern, 'u').test(text), reads(text), JSON.stringify(text))
  }
  const units = [
    '',
    'b',
    'B',
    'k',
    'kb',
    'KB',
    'kib',
    'KiB',
    'Ki',
    'Mi',
    'mb',
    'MiB',
    'gi',
    'GB',
    'gib',
    'TB',
    'ib',
    'constructor',
  ]
  const amounts = ['0', '1', '1.5', '1.', '.5', '-1', '1e3', '1 ', ' 1', '1234567890123456', '1 1']
  const sizes = amounts.flatMap(amount => units.map(unit => amount + unit))
  agree(SIZE_PATTERN, text => parseSize(text) !== undefined, sizes)
  const durations = amounts.flatMap(amount =>
    ['', 'ms', 's', 'm', 'h', 'd', 'S', 's30ms', 'm30s', 's 1', ' s'].map(unit => amount + unit),
  )
  agree(DURATION_PATTERN, text => parseDuration(text) !== undefined, durations)
  const addresses = ['a:1', 'a:', ':1', 'a', '[::1]:9615', '[::1]', '::1:5', '127.0.0.1:9615', 'a b:1', 'a:123456']
  agree(ADDRESS_PATTERN, text => parseAddress(text) !== undefined, addresses)
  t.match('off', new RegExp(ADDRESS_PATTERN, 'u'))
  for (const good of ['http://a', 'https://a/b@c', 'HTTP://[::1]:1?x']) t.match(good, new RegExp(URL_PATTERN, 'u'))
  for (const bad of ['a', 'ftp://a', 'http://', 'http://u@a', 'http:///x'])
    t.notMatch(bad, new RegExp(URL_PATTERN, 'u'))
  for (const good of ['proxy', 'proxy:3128', 'http://proxy']) t.match(good, new RegExp(PROXY_PATTERN, 'u'))
  for (const bad of ['', 'socks5://proxy', 'u:p@proxy']) t.notMatch(bad, new RegExp(PROXY_PATTERN, 'u'))
  t.end()
})
