/** What may be used and is hardly meant is said. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { scratch } from '../scratch.ts'

async function warnings(t: Test, tree: object, env = {}): Promise<readonly string[]> {
  const file = join(scratch(t), 'config.json')
  writeFileSync(file, JSON.stringify(tree))
  const loaded = await loadConfig({ env, cwd: '/', file })
  return loaded.kind === 'ok' ? loaded.warnings : loaded.problems.map(({ found }) => found)
}

t.test('a source whose files an earlier one takes is named with that one', async t => {
  const table: [earlier: string[], later: string, taken: boolean, exclude?: string[]][] = [
    [['/var/log/app/*.log'], '/var/log/app/*.log', true],
    [['/x', '/var/log/app/*.log'], '/var/log//app/./*.log', true],
    [['/var/log/app/*.log'], '/var/log/app/web.log', true],
    [['/var/log/**/*.log'], '/var/log/app/*.log', true],
    [['/var/log/**/*.log'], '/var/log/web.log', true],
    [['/var/log/**'], '/var/log/a/b/c.txt', true],
    [['/var/log/*/web.?og'], '/var/log/*/web.log', true],
    [['/var/log/{a,b}.log'], '/var/log/{a,b}.log', true],
    [['/var/log/app/web.log'], '/var/log/app/*.log', false],
    [['/var/log/app/*.log'], '/var/log/**/*.log', false],
    [['/var/log/app/*.log'], '/var/log/app/*.txt', false],
    [['/var/log/*.log'], '/var/log/app/web.log', false],
    [['/var/log/a.log'], '/var/log/axlog', false],
    [['/var/log/{a,b}.log'], '/var/log/a.log', false],
    [['/var/log/*.log'], '/var/log/web.log', false, ['/var/log/web*']],
  ]
  for (const [paths, later, taken, exclude = []] of table) {
    const sources = [
      { name: 'first', paths, exclude },
      { name: 'second', paths: [later] },
    ]
    const expected = `source second gets no files of ${later}: source first, which is listed first, gets them`
    t.strictSame(await warnings(t, { sources }), taken ? [expected] : [], `${paths} and ${later}`)
  }
  t.strictSame(await warnings(t, { sources: [{ paths: ['/a', '/a'] }] }), [], 'within one source it does no harm')
})

t.test('a secret that begins with the word that is put before it is named, and not shown', async t => {
  const of = (auth: object, env = {}) =>
    warnings(t, { sources: [{ paths: ['/a'] }], backends: [{ type: 'http', endpoint: 'https://x/', auth }] }, env)
  const bearer = 'backend http: its secret begins with Bearer, which is added anyway: it is sent once'
  t.strictSame(await of({ bearer: 'Bearer abc' }), [bearer])
  t.strictSame(await of({ bearer: { env: 'TOKEN' } }, { TOKEN: 'bearer abc' }), [bearer])
  t.strictSame(await of({ bearer: 'Bearerabc' }), [])
  const apiKey = { header: 'Authorization', prefix: 'ApiKey ', value: 'apikey abc' }
  t.match(await of({ apiKey }), [/begins with ApiKey, which/])
  t.strictSame(await of({ apiKey: { ...apiKey, value: 'abc' } }), [])
})
