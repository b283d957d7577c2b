/**
 * The front page: what it shows works, and it stays one. What every document has to keep to is in test/docs.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse, parseDocument } from 'yaml'
import { parseArgs } from '../src/cli/args.ts'
import { inWords } from '../src/cli/doctor.ts'
import { formatProblem, loadConfig } from '../src/config/load.ts'
import { examine } from '../src/manifest/doctor/examine.ts'
import { readManifest } from '../src/manifest/manifest.ts'
import { scratch } from './scratch.ts'

const root = new URL('../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const blocks = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({ language, text: text! }))

interface Container {
  name: string
  restartPolicy?: string
  securityContext: Record<string, unknown>
  env: { name: string; value?: string }[]
  ports: { name: string; containerPort: number }[]
  volumeMounts: { name: string; mountPath: string }[]
  [probe: string]: unknown
}

/** Of a front page. */
const MOST_LINES = 200

t.test('it is one page, with the two commands that do everything', t => {
  t.ok(readme.split('\n').length <= MOST_LINES)
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>
  }
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

t.test('every example in config/ is valid', async t => {
  const directory = new URL('config/', root)
  const examples = readdirSync(directory).filter(name => name.endsWith('.yaml'))
  t.ok(examples.length >= 3)
  for (const name of examples) {
    const loaded = await loadConfig({ file: new URL(name, directory).pathname, env: {}, cwd: '/' })
    t.equal(loaded.kind, 'ok', `${name}: ${JSON.stringify(loaded)}`)
  }
})

t.test('the finding of the doctor that docs/kubernetes.md shows is what it prints', async t => {
  const [shown] = readFileSync(new URL('docs/kubernetes.md', root), 'utf8').match(/^web\.yaml:31: error.*$/m)!
  const pod = blocks.find(({ text }) => text.includes('kind: Pod'))!.text.replace('path: /livez', 'path: /health')
  const read = await readManifest('web.yaml', pod)
  const [remark] = read.kind === 'read' ? examine(read.manifest, { drainSeconds: undefined }) : []
  t.equal(
    inWords(remark!).replace(/:\d+:|Pod web: spec/g, ''),
    shown!.replace(/:\d+:|Deployment web: spec\.template\.spec/g, ''),
  )
})

t.test('the mistake that docs/configuration.md shows is answered as it says', async t => {
  const [shown] = readFileSync(new URL('docs/configuration.md', root), 'utf8').match(/^config\.yaml:3: .*$/m)!
  const dir = scratch(t, { 'config.yaml': 'sources:\n  - paths: ["/var/log/app/*.log"]\n    lables: { team: shop }\n' })
  const loaded = await loadConfig({ file: 'config.yaml', env: {}, cwd: dir })
  t.equal(loaded.kind, 'invalid')
  if (loaded.kind !== 'invalid') return
  t.strictSame(loaded.problems.map(formatProblem), [shown])
})

t.test('help names every command and exit code', t => {
  const help = execFileSync(process.execPath, [new URL('src/main.ts', root).pathname, '--help']).toString()
  for (const word of ['validate', 'status', 'ledger', 'schema', 'demo', '--config', 'exit codes']) {
    t.ok(help.includes(word), word)
  }
  t.match(help, /^ {2}0 +done/m)
  t.match(help, /^ {2}3 .*drained incompletely/m)
  t.end()
})
