/** A release packs the charts with its image, by digest, and pushes them to a registry from which Helm installs them. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import t from 'tap'
import { parse } from 'yaml'
import { VERSION } from '../../src/version.ts'
import { scratch } from '../scratch.ts'
import { ENVIRONMENT, HELM, helm, withoutHelm } from './helm.ts'
import { parseResources, ROOT } from './render.ts'

const skip = withoutHelm() ?? false
const SCRIPT = join(ROOT, '.ci/charts')
const env = { ...ENVIRONMENT, HELM_BIN: HELM }
const DIGEST = `sha256:${'a1'.repeat(32)}`
const IMAGE = `registry.example.com/owner/logshipper@${DIGEST}`
const SOURCE = 'https://git.example.com/owner/logshipper'

function packed(out: string): readonly string[] {
  const { status, stderr } = spawnSync(SCRIPT, ['package', out, IMAGE, SOURCE], { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return readdirSync(out).sort()
}

/** As much of a registry (OCI distribution) as a push and a pull of a chart ask for. */
class Registry {
  readonly blobs = new Map<string, Buffer>()
  readonly manifests = new Map<string, Buffer>()
  readonly server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://registry')
    const body = await buffer(request)
    const [, name, kind, reference] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(pathname) ?? []
    const answer = (status: number, headers = {}, content: Buffer = Buffer.alloc(0)) =>
      response.writeHead(status, { 'content-length': content.length, ...headers }).end(content)
    if (name === undefined) return answer(200)
    const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
    if (request.method === 'POST') return answer(202, { location: `/v2/${name}/blobs/uploads/one` })
    if (request.method === 'PUT') {
      const digest = digestOf(body)
      if (kind === 'blobs') this.blobs.set(searchParams.get('digest')!, body)
      else for (const each of [reference!, digest]) this.manifests.set(`${name}:${each}`, body)
      return answer(201, { location: pathname, 'docker-content-digest': digest })
    }
    const found = kind === 'blobs' ? this.blobs.get(reference!) : this.manifests.get(`${name}:${reference}`)
    if (found === undefined) return answer(404)
    const type = kind === 'blobs' ? 'application/octet-stream' : 'application/vnd.oci.image.manifest.v1+json'
    return answer(200, { 'content-type': type, 'docker-content-digest': digestOf(found) }, found)
  })
}

t.test('the charts of a release name its image by digest, and where they are from', { skip }, t => {
  const out = join(scratch(t, {}), 'out')
  t.strictSame(packed(out), [`logshipper-${VERSION}.tgz`, `logshipper-injector-${VERSION}.tgz`])
  for (const archive of readdirSync(out)) {
    const shown = (what: string) => parse(helm('show', what, join(out, archive)).stdout)
    t.match(shown('chart'), { version: VERSION, home: SOURCE, sources: [SOURCE] })
    t.match(shown('values'), { image: { repository: 'registry.example.com/owner/logshipper', digest: DIGEST } })
  }
  const injector = join(out, `logshipper-injector-${VERSION}.tgz`)
  const rendered = helm('template', 'x', injector, '--kube-version', '1.36.0')
  t.equal(rendered.status, 0, rendered.stderr)
  const policy = parseResources(rendered.stdout).find(({ kind }) => kind === 'MutatingAdmissionPolicy')!
  t.match(JSON.stringify(policy), `registry.example.com/owner/logshipper:${VERSION}@${DIGEST}`)
  const monitored = helm('template', 'x', injector, '--set', 'policy.enabled=false', '--set', 'rules.enabled=true')
  t.equal(monitored.status, 0, monitored.stderr)
  const runbook = `${SOURCE}/blob/v${VERSION}/docs/runbooks.md#logshippernotshipping`
  for (const part of ['alert: LogshipperNotShipping', `runbook_url: ${runbook}`]) t.match(monitored.stdout, part)
  t.notMatch(monitored.stdout, 'example.com/logshipper')
  t.end()
})

t.test('an image without a digest is refused', { skip }, t => {
  const out = join(scratch(t, {}), 'out')
  const { status, stderr } = spawnSync(SCRIPT, ['package', out, 'logshipper:1', SOURCE], { env, encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, 'found logshipper:1; wanted: an image by digest')
  t.end()
})

t.test('what is pushed has the digest that is printed, and Helm renders it from there', { skip }, async t => {
  const directory = scratch(t, {})
  const out = join(directory, 'out')
  packed(out)
  const registry = new Registry()
  registry.server.listen(0, '127.0.0.1')
  await once(registry.server, 'listening')
  t.teardown(() => registry.server.close())
  const host = `127.0.0.1:${(registry.server.address() as AddressInfo).port}/charts`
  const run = async (program: string, ...args: string[]) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { code, stdout, stderr }
  }
  const pushed = await run(SCRIPT, 'push', out, host, '--plain-http')
  t.equal(pushed.code, 0, pushed.stderr)
  const lines = pushed.stdout.trim().split('\n')
  t.strictSame(
    lines.map(line => line.split(' ')[0]),
    ['logshipper', 'logshipper-injector'],
  )
  for (const line of lines) {
    const [name, digest] = line.split(' ')
    t.ok(registry.manifests.has(`charts/${name}:${VERSION}`), line)
    t.ok(registry.manifests.has(`charts/${name}:${digest}`), line)
  }
  const url = `oci://${host}/logshipper-injector`
  const args = ['--version', VERSION, '--plain-http', '--kube-version', '1.36.0']
  const pulled = await run(HELM, 'template', 'x', url, ...args)
  t.equal(pulled.code, 0, pulled.stderr)
  t.match(pulled.stdout, DIGEST)
})
