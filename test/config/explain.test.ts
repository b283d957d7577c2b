/** Every value of the effective configuration is shown with who said it, and no secret is. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { scratch } from '../scratch.ts'

async function explained(t: Test, text: string | undefined, env: Record<string, string> = {}, paths: string[] = []) {
  const file = join(scratch(t, {}), 'config.yaml')
  if (text !== undefined) writeFileSync(file, text)
  const loaded = await loadConfig({ ...(text !== undefined && { file }), paths, env, cwd: '/', defaultFile: '/none' })
  if (loaded.kind !== 'ok') throw new Error(JSON.stringify(loaded.problems))
  const all = loaded.explain()
  return { file, all, at: (key: string) => all.find(each => each.key === key) }
}

t.test('a list of texts and maps is shown one by one', async t => {
  const labels = '[source, level, { field: status }]'
  const text = `sources: [{ paths: [/a], parse: json }]\nbackends: [{ type: loki, endpoint: "http://l", labels: ${labels} }]\n`
  const { all } = await explained(t, text)
  const shown = all.filter(({ key }) => key.startsWith('backends[0].labels')).map(({ key, value }) => [key, value])
  t.strictSame(shown, [
    ['backends[0].labels[0]', '"source"'],
    ['backends[0].labels[1]', '"level"'],
    ['backends[0].labels[2].field', '"status"'],
  ])
})

t.test('the file, the environment, the command line and the default', async t => {
  const text = `sources:
  - paths: ["/var/log/a/*.log", /b.log]
    labels: { team: checkout }
backends:
  - type: http
    endpoint: http://collector:8080/ingest
    batch: { maxBytes: 512KiB }
    query: { key: "\${SECRET}" }
    auth: { bearer: very-secret }
pod: { node: "\${NODE}" }
state: { dir: off }
`
  const env = { LOGSHIPPER_BACKEND_RETRY_MAX: '10s', NODE: 'n1', SECRET: 'very-secret' }
  const { file, all, at } = await explained(t, text, env)
  const value = (key: string) => ({ value: at(key)?.value, from: at(key)?.from.replace(file, 'config.yaml') })
  t.strictSame(value('sources[0].paths'), { value: '"/var/log/a/*.log", "/b.log"', from: 'config.yaml:2' })
  t.strictSame(value('sources[0].name'), { value: '"app"', from: 'default' })
  t.strictSame(value('sources[0].labels.team'), { value: '"checkout"', from: 'config.yaml:3' })
  t.strictSame(value('backends[0].endpoint'), { value: '"http://collector:8080/ingest"', from: 'config.yaml:6' })
  t.strictSame(value('backends[0].batch.maxBytes'), { value: '"512KiB"', from: 'config.yaml:7' })
  t.strictSame(value('backends[0].batch.interval'), { value: '"180ms"', from: 'default' })
  t.strictSame(value('backends[0].retry.max'), { value: '"10s"', from: 'LOGSHIPPER_BACKEND_RETRY_MAX' })
  t.strictSame(value('backends[0].auth.bearer'), { value: '(hidden)', from: 'config.yaml:9' })
  t.strictSame(value('backends[0].sources'), { value: '"app"', from: 'default' })
  t.strictSame(value('pod.node'), { value: '${NODE}', from: 'config.yaml:10' })
  t.strictSame(value('memory.budget'), { value: '"8MiB"', from: 'default' })
  t.match(value('state.dir'), { from: 'config.yaml:11' })
  t.notMatch(JSON.stringify(all), 'very-secret')
  t.equal(new Set(all.map(({ key }) => key)).size, all.length, 'each once')
})

t.test('without a file', async t => {
  const { at } = await explained(t, undefined, {}, ['/opt/logs.txt'])
  t.strictSame(at('sources[0].paths'), { key: 'sources[0].paths', value: '"/opt/logs.txt"', from: 'command line' })
  t.match(at('backends[0].type'), { value: '"stdout"', from: 'default' })
})
