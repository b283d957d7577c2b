/** The compiled code of the program: V8 takes it, and nothing depends on it. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { compiledFile, PROGRAM, seal, unseal } from '../../src/start/compiled.ts'
import { VERSION } from '../../src/version.ts'
import { scratch } from '../scratch.ts'
import { FLAGS } from '../support/image.ts'

const DIST = join(import.meta.dirname, '../../dist')
const COMPILED = join(import.meta.dirname, '../../src/start/compiled.ts')

/** What is started, the program and its compiled code, elsewhere. */
function copy(t: Test): string {
  const directory = scratch(t)
  for (const name of readdirSync(DIST))
    if (/\.(cjs|cache)$/.test(name)) copyFileSync(join(DIST, name), join(directory, name))
  writeFileSync(join(directory, 'package.json'), '{}')
  return directory
}

function version(directory: string, ...flags: string[]) {
  return spawnSync(process.execPath, [...flags, join(directory, 'logshipper.cjs'), '--version'], { encoding: 'utf8' })
}

/** Says whether V8 refuses the compiled code. */
const ASKS = `
  import { readFileSync } from 'node:fs'
  import { compiledFile, PROGRAM, scriptOf, unseal } from '${COMPILED}'
  const program = readFileSync('${DIST}/' + PROGRAM)
  const data = unseal(readFileSync(compiledFile('${DIST}')), program)
  const rejected = data && scriptOf('${DIST}/' + PROGRAM, program, data).cachedDataRejected
  console.log(rejected ?? 'of another program')`

t.test('V8 takes the compiled code with the flags of the image and without any, and no other V8 does', t => {
  const ask = (...flags: string[]) => {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', ASKS], {
      encoding: 'utf8',
    })
    return stdout.trim() || stderr
  }
  t.equal(ask(), 'false')
  t.equal(ask(...FLAGS), 'false')
  t.equal(ask('--no-opt'), 'true')
  t.end()
})

t.test('the program starts with its compiled code, with that of another V8, with a damaged one and without any', t => {
  const directory = copy(t)
  const file = compiledFile(directory)
  const works = (how: string, ...flags: string[]) =>
    t.match(version(directory, ...flags), { status: 0, stdout: `${VERSION}\n`, stderr: '' }, how)
  works('as it was built')
  works('with another V8', '--no-opt')
  const sealed = readFileSync(file)
  for (const at of [0, 8, 100, sealed.length >> 1, sealed.length - 1]) {
    const damaged = Buffer.from(sealed)
    damaged[at]! ^= 1
    writeFileSync(file, damaged)
    works(`damaged at ${at}`)
  }
  writeFileSync(file, sealed.subarray(0, sealed.length >> 1))
  works('cut')
  writeFileSync(file, '')
  works('empty')
  rmSync(file)
  works('without any')
  t.end()
})

t.test('a program that is not the one that was compiled is compiled anew, however alike they are', t => {
  const directory = copy(t)
  const program = join(directory, PROGRAM)
  const text = readFileSync(program, 'latin1')
  const other = VERSION.replace(/\d+$/, patch => '9'.repeat(patch.length))
  // As if somebody had mended it in place: V8 by itself compares the length.
  writeFileSync(program, text.replaceAll(`"${VERSION}"`, `"${other}"`), 'latin1')
  t.equal(version(directory).stdout, `${other}\n`)
  t.end()
})

t.test('compiled code is for one program, one Node and one kind of machine', t => {
  const [program, data] = [Buffer.from('1 + 1'), Buffer.from('what V8 made of it')]
  const sealed = seal(data, program)
  t.strictSame(unseal(sealed, program), data)
  t.equal(unseal(sealed, Buffer.from('1 + 2')), undefined)
  t.equal(unseal(sealed.subarray(0, -1), program), undefined)
  t.equal(unseal(Buffer.alloc(0), program), undefined)
  t.equal(
    basename(compiledFile('/dist')),
    `logshipper-program-${process.version}-${process.platform}-${process.arch}.cache`,
  )
  t.end()
})
