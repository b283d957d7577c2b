/** The image, hardened as the manifests harden it: what is in it, and that the product works in it. */
import { appendFileSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { VERSION } from '../../src/version.ts'
import { Receiver } from '../program.ts'
import { FLAGS } from '../support/image.ts'
import { Hard, IMAGE, podman, volume, withoutImage } from './podman.ts'

const without = withoutImage()
if (without !== undefined) {
  t.plan(0, `SKIP ${without}`)
  process.exit(0)
}

interface Component {
  readonly name: string
  readonly version: string
  readonly licenses?: readonly { readonly license?: { readonly id?: string; readonly name?: string } }[]
  readonly components?: readonly Component[]
}

const MEBIBYTE = 1024 ** 2

/** What a script prints that Node runs in the image; there is nothing else in it that runs scripts. */
function inside(script: string): string {
  return podman(
    'run',
    '--rm',
    '--network',
    'none',
    '--read-only',
    '--read-only-tmpfs=false',
    '--entrypoint',
    '/usr/bin/node',
    IMAGE,
    '-e',
    script,
  )
}

function anonymous(container: Hard): number {
  return (Number.parseInt(container.status('RssAnon'), 10) * 1024) / MEBIBYTE
}

t.test('it has its labels, and runs as any user', t => {
  const [inspected] = JSON.parse(podman('image', 'inspect', IMAGE)) as {
    Size: number
    Config: { User: string; Entrypoint: string[]; Cmd?: string[]; Labels: Record<string, string> }
  }[]
  const { Size: size, Config: config } = inspected!
  t.equal(config.User, '65532:65532')
  t.equal(config.Entrypoint[0], '/usr/bin/node')
  t.equal(config.Entrypoint.at(-1), '/usr/lib/logshipper.js')
  t.ok(config.Entrypoint.includes('--max-old-space-size=64'), 'the heap fits the limit of the manifests')
  t.match(config.Entrypoint.slice(1, -1), FLAGS, 'what is measured runs with the same')
  t.strictSame(config.Cmd ?? [], [])
  t.match(config.Labels, {
    'org.opencontainers.image.version': VERSION,
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.revision': /^([0-9a-f]{40}|unknown)$/,
    'org.opencontainers.image.created': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    'org.opencontainers.image.title': 'logshipper',
    'org.opencontainers.image.description': /./,
    'org.opencontainers.image.source': /^https:/,
    'org.opencontainers.image.url': /^https:/,
    'org.opencontainers.image.documentation': /^https:.*\/docs\/install\.md$/,
    'org.opencontainers.image.base.name': 'scratch',
  })
  t.ok(size < 128e6, `${size} bytes, of which Node is 116 MB`)
  t.end()
})

t.test('there is nothing in it to run but Node, and nothing that its user may change', t => {
  const files = JSON.parse(
    inside(`
      const { readdirSync, lstatSync } = require('fs'), { join } = require('path')
      const out = []
      const walk = directory => { for (const name of readdirSync(directory)) {
        const path = join(directory, name)
        if (/^\\/(proc|sys|dev|run)$/.test(path)) continue
        const { mode, uid } = lstatSync(path)
        out.push([path, mode, uid])
        if ((mode & 0o170000) === 0o040000) walk(path)
      } }
      walk('/')
      console.log(JSON.stringify(out))`),
  ) as [string, number, number][]
  const programs = files.filter(([path]) => /^(\/usr)?\/s?bin\//.test(path)).map(([path]) => path)
  t.strictSame(programs.sort(), ['/usr/bin/logshipper', '/usr/bin/node'])
  const regular = files.filter(([, mode]) => (mode & 0o170000) === 0o100000)
  t.strictSame(
    regular.filter(([path, mode]) => mode & 0o022 && !path.startsWith('/etc/')),
    [],
    'writable',
  )
  t.strictSame(
    files.filter(([, mode]) => mode & 0o6000 && (mode & 0o170000) === 0o100000),
    [],
    'setuid',
  )
  const anybody = files.filter(([, mode]) => (mode & 0o170000) === 0o040000 && mode & 0o002).map(([path]) => path)
  t.strictSame(anybody.sort(), ['/tmp', '/var/lib/logshipper'])
  t.end()
})

t.test(
  'its bill of materials names every package in the bundle with its licence, Node’s parts and Debian’s packages',
  t => {
    const bom = JSON.parse(inside('process.stdout.write(fs.readFileSync("/usr/share/sbom/logshipper.cdx.json"))')) as {
      bomFormat: string
      serialNumber: string
      metadata: { component: Component }
      components: Component[]
    }
    t.match(bom, { bomFormat: 'CycloneDX', specVersion: '1.6', metadata: { component: { version: VERSION } } })
    t.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    const version = (name: string) => bom.components.find(component => component.name === name)?.version
    for (const [name, wanted] of Object.entries(manifest.dependencies)) t.equal(version(name), wanted, name)
    const node = bom.components.find(({ name }) => name === 'node')!
    const { openssl } = JSON.parse(inside('console.log(JSON.stringify(process.versions))')) as { openssl: string }
    t.equal(node.components!.find(({ name }) => name === 'openssl')!.version, openssl)
    for (const name of ['libc6', 'libstdc++6', 'libgcc-s1', 'ca-certificates']) t.ok(version(name), name)
    const bundled = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../dist/bundled.json'), 'utf8'),
    ) as Component[]
    for (const { name, version: wanted } of bundled) t.equal(version(name), wanted, name)

    const files = new Set<string>()
    for (const component of [bom.metadata.component, ...bom.components, ...node.components!]) {
      if (component.name === 'debian') continue
      const [{ license } = {}] = component.licenses ?? []
      t.ok(license?.id || license?.name, `${component.name} has a licence`)
      if (license?.name) files.add(license.name.replace(/^as in /, ''))
    }
    t.ok(files.has('/usr/share/doc/node/LICENSE'))
    t.equal(
      inside(`for (const file of ${JSON.stringify([...files])}) if (fs.statSync(file).size < 500) throw file`),
      '',
    )
    t.end()
  },
)

t.test('the notices of all whose code is in it are in it', t => {
  const notices = inside('process.stdout.write(fs.readFileSync("/usr/share/doc/logshipper/THIRD_PARTY_NOTICES.txt"))')
  t.equal(notices, readFileSync(join(import.meta.dirname, '../../dist/THIRD_PARTY_NOTICES.txt'), 'utf8').trim())
  const node = inside('process.stdout.write(fs.readFileSync("/usr/share/doc/node/LICENSE"))')
  for (const part of ['OpenSSL', 'ICU', 'V8', 'libuv', 'llhttp']) t.match(node, part)
  t.match(inside('process.stdout.write(fs.readFileSync("/usr/share/doc/logshipper/LICENSE"))'), 'Apache License')
  t.end()
})

t.test('hardened, it follows a rotating file beside its writer and ends with everything shipped', async t => {
  const receiver = await Receiver.start(t)
  const directory = volume()
  const container = new Hard(t, {
    volume: directory,
    memory: '128m',
    network: 'host',
    env: {
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: receiver.url,
      LOGSHIPPER_SERVER_PORT: '0',
      LOGSHIPPER_SERVER_ADMIN: '127.0.0.1:0',
    },
  })
  await container.said('"started"')
  for (const field of ['CapEff', 'CapPrm', 'CapBnd']) t.equal(container.status(field), '0000000000000000', field)
  t.match(container.status('Uid'), /^65532\s+65532\s+65532\s+65532/)
  t.equal(container.status('NoNewPrivs'), '1')
  t.equal(container.status('Seccomp'), '2')
  t.throws(() => container.exec('/usr/bin/node', '-e', 'fs.writeFileSync("/usr/x", "")'), /EROFS/)

  const file = join(directory, 'app.log')
  const expected: string[] = []
  for (let block = 0; block < 40; block++) {
    const lines = Array.from({ length: 2500 }, (_, line) => `block ${block} line ${line} of an application`)
    appendFileSync(file, lines.map(line => `${line}\n`).join(''))
    expected.push(...lines)
    if (block % 15 === 14) renameSync(file, `${file}.${block}`)
    await sleep(20)
  }
  appendFileSync(file, 'the last one, without a line end')
  expected.push('the last one, without a line end')
  // SIGKILL after that would be code 137.
  t.equal(await container.stop(30), 0)
  t.equal(receiver.lines.length, expected.length, 'nothing comes twice')
  const arrived = new Set(receiver.lines)
  t.strictSame(expected.filter(line => !arrived.has(line)).slice(0, 3), [], 'nothing is missing')
})

t.test('with a dead backend and a writer that goes on, it stays small and ends within two seconds', async t => {
  const directory = volume()
  const container = new Hard(t, {
    volume: directory,
    memory: '128m',
    network: 'none',
    env: {
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: 'http://127.0.0.1:9/nobody',
      LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s',
    },
  })
  await container.said('"started"')
  const block = 'a line that no backend accepts, and that waits on the volume\n'.repeat(20_000)
  for (let count = 0; count < 60; count++) {
    appendFileSync(join(directory, 'app.log'), block)
    await sleep(20)
  }
  const mebibytes = anonymous(container)
  t.ok(mebibytes < 40, `${mebibytes.toFixed(1)} MiB of its own, with 60 MiB waiting`)
  t.match(container.exec('logshipper', 'status'), /degraded/)
  t.equal(await container.stop(10), 3, 'something is left, and it ended by itself')
  t.match(container.logs, /"complete":false/)
})

t.test('its commands run inside it, beside it, in half of its memory', async t => {
  const directory = volume()
  const env = { LOGSHIPPER_LOG_LEVEL: 'info' }
  const container = new Hard(t, { volume: directory, memory: '64m', network: 'none', env })
  await container.said('"started"')
  appendFileSync(join(directory, 'app.log'), 'one\ntwo\n')
  await container.said('two')
  t.equal(container.exec('logshipper', '--version'), VERSION)
  t.match(container.exec('logshipper', 'status'), /ok/)
  t.match(container.exec('logshipper', 'ledger'), /it adds up/)
  t.match(container.exec('logshipper', 'validate'), /valid: 1 source, /)
  const started = container.exec(
    '/usr/bin/node',
    '-e',
    'fetch("http://localhost:9614/startupz").then(({status})=>console.log(status))',
  )
  t.equal(started, '200')
  t.ok(container.running, 'and it is still there')
  t.equal(await container.stop(10), 0)
})
