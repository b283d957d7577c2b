import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { signatureOf } from '../src/signature.ts'
import { scratch } from './scratch.ts'

t.test('a file looks the same until it is changed, replaced or removed', t => {
  const dir = scratch(t)
  const path = join(dir, 'a')
  t.equal(signatureOf(path), 'ENOENT')
  writeFileSync(path, 'one')
  const first = signatureOf(path)
  t.equal(signatureOf(path), first)
  writeFileSync(join(dir, 'b'), 'one')
  utimesSync(join(dir, 'b'), 1, 1)
  renameSync(join(dir, 'b'), path)
  t.not(signatureOf(path), first, 'another inode with the same text')
  rmSync(path)
  t.equal(signatureOf(path), 'ENOENT')
  t.end()
})

t.test('a swapped link is another file, as in a projected volume', t => {
  const dir = scratch(t)
  for (const name of ['one', 'two']) {
    mkdirSync(join(dir, name))
    writeFileSync(join(dir, name, 'config.yaml'), 'same')
  }
  symlinkSync('one', join(dir, '..data'))
  const path = join(dir, '..data/config.yaml')
  const before = signatureOf(path)
  symlinkSync('two', join(dir, 'next'))
  renameSync(join(dir, 'next'), join(dir, '..data'))
  t.not(signatureOf(path), before)
  t.end()
})
