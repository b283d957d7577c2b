/** The README does not lie: its commands are run or exist, its YAML is loaded, its tables name what there is. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseDocument } from 'yaml'
import { parseArgs } from '../src/cli/args.ts'
import { COMMANDS } from '../src/cli/commands.ts'
import { inWords } from '../src/cli/doctor.ts'
import { loadConfig } from '../src/config/load.ts'
import { jsonSchema } from '../src/config/schema.ts'
import { examine } from '../src/manifest/doctor/examine.ts'
import { readManifest } from '../src/manifest/manifest.ts'
import { NAMES } from '../src/server/metrics.ts'

const root = new URL('../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const blocks = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({ language, text: text! }))

/** The parts of a JSON Schema that this test looks at. */
interface Schema {
  anyOf?: Schema[]
  oneOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
}

interface Container {
  name: string
  restartPolicy?: string
  securityContext: Record<string, unknown>
  env: { name: string; value?: string }[]
  ports: { name: string; containerPort: number }[]
  volumeMounts: { name: string; mountPath: string }[]
  [probe: string]: unknown
}

t.test('every npm command in it is a script, and the two that do everything are there', t => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>
  }
  const named = [...readme.matchAll(/npm run (\w+)/g)].map(match => match[1]!)
  for (const name of named) t.ok(scripts[name], `npm run ${name}`)
  t.match(readme, 'npm ci && npm run demo')
  t.match(readme, 'npm ci && npm test')
  for (const name of ['demo', 'start', 'test', 'build', 'lint', 'bench']) t.ok(scripts[name], name)
  t.end()
})

t.test('the Pod is whole: its environment is a valid configuration, its probes ask what there is', async t => {
  const yaml = blocks.find(({ language, text }) => language === 'yaml' && text.includes('kind: Pod'))!.text
  t.strictSame(parseDocument(yaml).errors, [])
  const pod = parse(yaml) as {
    spec: {
      securityContext: Record<string, unknown>
      initContainers: Container[]
      containers: Container[]
      volumes: { name: string }[]
    }
  }
  const shipper = pod.spec.initContainers[0]!
  t.equal(shipper.restartPolicy, 'Always')
  const env = Object.fromEntries(shipper.env.map(({ name, value }) => [name, value ?? 'from the Downward API']))
  const loaded = await loadConfig({ env, cwd: '/', defaultFile: '/nonexistent' })
  t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  if (loaded.kind !== 'ok') return
  t.equal(loaded.config.server.port, shipper.ports[0]!.containerPort)
  const mounts = new Set(pod.spec.volumes.map(({ name }) => name))
  for (const container of [...pod.spec.initContainers, ...pod.spec.containers]) {
    for (const { name } of container.volumeMounts) t.ok(mounts.has(name), `${container.name} mounts ${name}`)
  }
  const [ours, theirs] = [shipper, pod.spec.containers[0]!].map(({ securityContext }) => securityContext)
  for (const each of [ours!, theirs!])
    t.match(each, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
  t.equal(ours!['runAsUser'], 65532)
  t.type(theirs!['runAsUser'], 'number')
  t.not(ours!['runAsUser'], theirs!['runAsUser'], 'each has a user of its own')
  t.notOk(pod.spec.securityContext['runAsUser'], 'none is said for both')
  t.match(pod.spec.securityContext, { runAsNonRoot: true, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } })
  const probes = readFileSync(new URL('src/server/probes.ts', root), 'utf8')
  const asked = [...yaml.matchAll(/httpGet: \{ path: (\S+), port/g)].map(match => match[1])
  t.equal(asked.length, 3)
  const [, hook] = /preStop: \{ exec: \{ command: \[logshipper, (\w+)\] \} \}/.exec(yaml)!
  t.equal(parseArgs([hook!]).kind, hook, 'the hook is a command')
  for (const path of asked) t.ok(probes.includes(`case '${path}'`), `probe ${path}`)
})

t.test('the environment of each shell example is a valid configuration', async t => {
  const examples = blocks.filter(({ language, text }) => language === 'sh' && text.includes('LOGSHIPPER_'))
  t.ok(examples.length > 0)
  for (const { text } of examples) {
    const env = Object.fromEntries(
      [...text.matchAll(/(LOGSHIPPER_\w+)='?([^'\s]+)'?/g)].map(([, name, value]) => [name!, value!]),
    )
    const loaded = await loadConfig({ env, cwd: '/', defaultFile: '/nonexistent' })
    t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  }
})

t.test('every curl of it asks for a page that there is', t => {
  const served = ['probes', 'admin'].map(name => readFileSync(new URL(`src/server/${name}.ts`, root), 'utf8')).join()
  const asked = [...readme.matchAll(/curl -s localhost:\d+(\/\w*)/g)].map(match => match[1]!)
  t.equal(asked.length, 9)
  for (const path of asked) t.ok(served.includes(`case '${path}'`), path)
  t.end()
})

t.test('every key of the configuration stands in the table', t => {
  const table = readme.slice(readme.indexOf('## Configuration'), readme.indexOf('## Backends'))
  const leaves = new Set<string>()
  const walk = (schema: Schema): void => {
    for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) walk(part)
    if (schema.items) walk(schema.items)
    for (const [name, part] of Object.entries(schema.properties ?? {})) {
      leaves.add(name)
      walk(part)
    }
  }
  walk(jsonSchema())
  const detail = new Set(['$schema', 'username', 'password', 'header', 'value', 'file', 'env'])
  for (const name of leaves) if (!detail.has(name)) t.ok(new RegExp(`[\`.]${name}[\`.[]`).test(table), name)
  t.end()
})

t.test('the metrics that are exposed and the metrics in the table are the same', t => {
  const exposed = NAMES.map(name => name.replace(/^logshipper_/, ''))
  const table = readme.slice(readme.indexOf('## Metrics'), readme.indexOf('## Its own log'))
  const named = new Set(
    [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`(\w+)`/g)].map(match => match[1]!),
    ),
  )
  t.strictSame(exposed.sort(), [...named].sort())
  t.end()
})

t.test('every example in config/ is valid, and the published schema is the present one', async t => {
  const folder = new URL('config/', root)
  const examples = readdirSync(folder).filter(name => name.endsWith('.yaml'))
  t.ok(examples.length >= 3)
  for (const name of examples) {
    const loaded = await loadConfig({ file: new URL(name, folder).pathname, env: {}, cwd: '/' })
    t.equal(loaded.kind, 'ok', `${name}: ${JSON.stringify(loaded)}`)
  }
  t.strictSame(
    JSON.parse(readFileSync(new URL('schema.json', folder), 'utf8')),
    jsonSchema(),
    'npm run schema makes it anew',
  )
})

t.test('the table of commands names those that there are, and what its examples say is understood', t => {
  const table = readme.slice(readme.indexOf('## Commands'), readme.indexOf('## Endpoints'))
  const rows = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)])
  t.strictSame(rows.map(([, name]) => name).sort(), Object.keys(COMMANDS).sort())
  const said = [...readme.matchAll(/(?:^|\| |-- )logshipper ([a-z][^|#`\n]*)/gm)].map(([, words]) =>
    words!.trim().split(/ +/),
  )
  const kinds = said.map(words => parseArgs(words).kind)
  for (const name of ['inject', 'doctor', 'check']) t.ok(kinds.includes(name as never), name)
  t.notOk(kinds.includes('wrong'), said.join('\n'))
  t.end()
})

t.test('what the doctor is said to say is what it says', async t => {
  const [shown] = readme.match(/^web\.yaml:31: error.*$/m)!
  const pod = blocks.find(({ text }) => text.includes('kind: Pod'))!.text.replace('path: /livez', 'path: /health')
  const read = await readManifest('web.yaml', pod)
  const [remark] = read.kind === 'read' ? examine(read.manifest, { drainSeconds: undefined }) : []
  t.equal(
    inWords(remark!).replace(/:\d+:|Pod web: spec/g, ''),
    shown!.replace(/:\d+:|Deployment web: spec\.template\.spec/g, ''),
  )
})

t.test('help names every command and exit code', t => {
  const help = execFileSync(process.execPath, [new URL('src/main.ts', root).pathname, '--help']).toString()
  for (const word of [
    'validate',
    'status',
    'ledger',
    'schema',
    'demo',
    '--config',
    'exit codes',
    '0 done',
    '3 something',
  ]) {
    t.ok(help.includes(word), word)
  }
  t.end()
})
