/** Whoever gets the bundle gets the notices of all whose code is in it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bundled, foldersOf, notices, packageIn } from '../notices.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

t.test('every package in the bundle has its licence’s whole text beside the bundle', t => {
  const written = read('dist/THIRD_PARTY_NOTICES.txt')
  const packages = JSON.parse(read('dist/bundled.json')) as { name: string; version?: string; license: string }[]
  t.ok(packages.length > 15)
  for (const { name, version, license } of packages) {
    t.ok(written.includes(`\n${[name, version].filter(Boolean).join(' ')} (${license})\n`), name)
    if (version === undefined) continue
    const directory = join(ROOT, 'node_modules', name)
    const files = readdirSync(directory).filter(file => /^(licen|notice|copying)/i.test(file))
    t.ok(files.length > 0, name)
    for (const file of files)
      t.ok(written.includes(readFileSync(join(directory, file), 'utf8').trim()), `${name}: ${file}`)
  }
  t.end()
})

t.test('every package that the program imports is among them', t => {
  const names = (JSON.parse(read('dist/bundled.json')) as { name: string }[]).map(({ name }) => name)
  const imported = new Set<string>()
  for (const file of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    // What compiles the kernel is not in the program; what it compiles in is named apart.
    if (!file.endsWith('.ts') || file.startsWith('kernel/')) continue
    const source = read(join('src', file))
    for (const [line, name] of source.matchAll(
      /^.*?(?: from |import\()'(@[\w-]+\/[\w-]+|[a-z][\w-]*)(?:\/[^':]*)?'.*$/gm,
    ))
      if (!line.startsWith('import type')) imported.add(name!)
  }
  t.ok(imported.has('pino') && imported.has('zod'), [...imported].join(' '))
  for (const name of imported) t.ok(names.includes(name), name)
  for (const name of Object.keys((JSON.parse(read('package.json')) as { dependencies: object }).dependencies))
    t.ok(names.includes(name), name)
  t.ok(names.includes('assemblyscript'), 'the library of the kernel’s language')
  t.end()
})

const LICENCE_OF_NODE = join(process.execPath, '../../LICENSE')
const skip = existsSync(LICENCE_OF_NODE) ? false : `this Node came without ${LICENCE_OF_NODE}`

t.test('the parser in undici has the notice that Node’s own licence has for it', { skip }, t => {
  const node = readFileSync(LICENCE_OF_NODE, 'utf8')
  const [, section] = /^- llhttp, .*:\n {2}"""\n([\s\S]*?)\n {2}"""/m.exec(node)!
  t.equal(read('licences/llhttp.txt').trim(), section!.replaceAll(/^ {4}/gm, '').trim())
  t.ok(read('dist/THIRD_PARTY_NOTICES.txt').includes('Copyright Fedor Indutny, 2018.'))
  t.end()
})

t.test('a package without a text of its licence stops the build, by name', t => {
  const root = mkdtempSync(join(tmpdir(), 'logshipper-notices-'))
  const directory = join(root, 'node_modules/bare')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'bare', version: '1.2.3', license: 'MIT' }))
  const metafile = { inputs: { 'node_modules/bare/index.js': { bytes: 1, imports: [] } } }
  t.throws(() => bundled(root, metafile), {
    message: `${directory}: found no text of its licence (MIT); wanted: LICENSE, NOTICE or COPYING`,
  })
  writeFileSync(join(directory, 'LICENCE'), 'Copyright of the bare one\n')
  const found = packageIn(directory)
  t.match(notices([found]), /\nbare 1\.2\.3 \(MIT\)\n\nCopyright of the bare one\n/)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'bare', version: '1.2.3' }))
  t.throws(() => packageIn(directory), {
    message: /package\.json: found no name, version or licence; wanted: all three/,
  })
  t.end()
})

t.test('packages are told by their directories: with a scope, within another, by what a plugin calls them', t => {
  const input = { bytes: 1, imports: [] }
  t.strictSame(
    foldersOf({
      inputs: {
        'src/main.ts': input,
        'node_modules/b/lib/one.js': input,
        'node_modules/b/lib/two.js': input,
        'node_modules/@a/c/index.js': input,
        'node_modules/b/node_modules/d/index.js': input,
        'plugin:node_modules/e/index.js': input,
        'undici:client': input,
      },
    }),
    ['node_modules/@a/c', 'node_modules/b', 'node_modules/b/node_modules/d', 'node_modules/e'],
  )
  t.end()
})
