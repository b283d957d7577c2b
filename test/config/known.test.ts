/** The keys that the bundle holds are those of the schema. */
import t from 'tap'
import { keysOf, pack, unpack } from '../../src/config/keys.ts'
import { knownKeys } from '../../src/config/known.ts'
import { jsonSchema } from '../../src/config/schema.ts'

t.test('the tree of keys survives being written down', async t => {
  const keys = keysOf(jsonSchema())
  t.strictSame(unpack(JSON.parse(JSON.stringify(pack(keys)))), keys)
  t.strictSame(knownKeys(), keys)
  t.ok(keys.properties.get('backends')?.items?.properties.has('endpoint'))
})
