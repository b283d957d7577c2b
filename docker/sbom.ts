/**
 * `sbom.ts OUT BUNDLE EPOCH`: the bill of materials of the image in the folder OUT, as CycloneDX JSON on standard output.
 *
 * It names the npm packages whose code is in the bundle (`bundled.json` beside it), Node with the libraries that are
 * compiled into it (asked of the very Node that runs this), and the Debian packages that OUT took files from; each with
 * its licence, or with where its text is in the image. The same input gives the same bytes: the serial number is
 * derived from the content, the time is EPOCH.
 *
 * Sources: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), package URLs (https://github.com/package-url/purl-spec).
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Package } from '../notices.ts'
import { PROGRAM } from '../src/start/compiled.ts'

interface Component {
  type: 'application' | 'library' | 'operating-system'
  'bom-ref': string
  name: string
  version?: string
  purl?: string
  licenses?: ({ license: { id: string } | { name: string } } | { expression: string })[]
  hashes?: { alg: string; content: string }[]
  components?: Component[]
}

const [out, bundle, epoch] = process.argv.slice(2)
if (out === undefined || bundle === undefined || epoch === undefined) throw new Error('sbom.ts OUT BUNDLE EPOCH')

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  name: string
  version: string
  license: string
}
const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')) as {
  packages: Record<string, { version: string; integrity?: string }>
}
const packages = JSON.parse(readFileSync(join(dirname(bundle), 'bundled.json'), 'utf8')) as Omit<Package, 'texts'>[]

/** By an identifier of SPDX, or an expression of such. */
function licensed(license: string): Component['licenses'] {
  return /^[\w.+-]+$/.test(license) ? [{ license: { id: license } }] : [{ expression: license }]
}

/** By the file of the image that has the text. */
function licensedAs(file: string): Component['licenses'] {
  return [{ license: { name: `as in /usr/share/doc/${file}` } }]
}

function npmPackages(): Component[] {
  return packages.map(({ name, version, license }): Component => {
    const licenses = { licenses: licensed(license)! }
    if (version === undefined) return { type: 'library', 'bom-ref': `bundled#${name}`, name, ...licenses }
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    const locked = lock.packages[`node_modules/${name}`]
    if (locked?.version !== version) throw new Error(`${name} ${version} is not what the lock file has`)
    const [algorithm, digest] = locked.integrity?.split('-') ?? []
    if (algorithm !== 'sha512') throw new Error(`${name} ${version} has no integrity in the lock file`)
    const hashes = [{ alg: 'SHA-512', content: Buffer.from(digest!, 'base64').toString('hex') }]
    return { type: 'library', 'bom-ref': purl, name, version, purl, ...licenses, hashes }
  })
}

/** The versions that Node was compiled with; those that are numbers of interfaces are no libraries. */
function node(): Component {
  const version = process.versions.node
  const purl = `pkg:generic/node@${version}`
  const components = Object.entries(process.versions).flatMap(([name, value]): Component[] =>
    !value || ['node', 'modules', 'napi'].includes(name)
      ? []
      : [
          {
            type: 'library',
            'bom-ref': `${purl}#${name}`,
            name,
            version: value,
            licenses: licensedAs('node/LICENSE')!,
          },
        ],
  )
  return {
    type: 'application',
    'bom-ref': purl,
    name: 'node',
    version,
    purl,
    licenses: licensed('MIT')!,
    components,
  }
}

function debianPackages(): Component[] {
  const release = readFileSync(join(out!, 'etc/os-release'), 'utf8')
  const distribution = /^VERSION_ID="?(\d+)/m.exec(release)?.[1] ?? 'unknown'
  const folder = join(out!, 'var/lib/dpkg/status.d')
  const packages = readdirSync(folder)
    .sort()
    .map((file): Component => {
      const status = readFileSync(join(folder, file), 'utf8')
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(status)?.[1] ?? ''
      const [name, version, architecture] = ['Package', 'Version', 'Architecture'].map(field)
      const query = `arch=${architecture}&distro=debian-${distribution}`
      const purl = `pkg:deb/debian/${encodeURIComponent(name!)}@${encodeURIComponent(version!)}?${query}`
      const licenses = licensedAs(`${file}/copyright`)!
      return { type: 'library', 'bom-ref': purl, name: name!, version: version!, purl, licenses }
    })
  return [
    { type: 'operating-system', 'bom-ref': `debian@${distribution}`, name: 'debian', version: distribution },
    ...packages,
  ]
}

/** A version 8 UUID (RFC 9562 §5.8) of what it names. */
function serialNumber(components: readonly Component[]): string {
  const digest = createHash('sha256').update(JSON.stringify(components)).digest('hex')
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) % 4]
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, variant + digest.slice(17, 20)]
  return `urn:uuid:${[...parts, digest.slice(20, 32)].join('-')}`
}

const purl = `pkg:npm/${manifest.name}@${manifest.version}`
// What is started only loads it.
const program = join(dirname(bundle), PROGRAM)
const subject: Component = {
  type: 'application',
  'bom-ref': purl,
  name: manifest.name,
  version: manifest.version,
  purl,
  licenses: licensed(manifest.license)!,
  hashes: [{ alg: 'SHA-256', content: createHash('sha256').update(readFileSync(program)).digest('hex') }],
}
const components = [...npmPackages(), node(), ...debianPackages()]
const bom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: serialNumber([subject, ...components]),
  version: 1,
  metadata: { timestamp: new Date(Number(epoch) * 1000).toISOString(), component: subject },
  components,
  dependencies: [{ ref: purl, dependsOn: components.map(component => component['bom-ref']) }],
}
process.stdout.write(`${JSON.stringify(bom, null, 1)}\n`)
