/** Archives, as the tar of this machine reads them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { tar } from '../../../src/cli/bundle/tar.ts'
import { scratch } from '../../scratch.ts'

const missing = spawnSync('tar', ['--version']).status === 0 ? false : 'tar is not installed'

const FILES = [
  { name: 'a/empty', content: '' },
  { name: 'a/block', content: 'x'.repeat(512) },
  { name: 'a/more', content: `${'ü'.repeat(300)}\n` },
  { name: 'n'.repeat(100), content: Buffer.from([0, 0xff, 10]) },
]

t.test('every file comes out as it was put in', { skip: missing }, t => {
  const file = join(scratch(t, {}), 'a.tar')
  writeFileSync(file, tar(FILES, Date.UTC(2026, 0, 2, 3, 4, 5) / 1000))
  const listed = execFileSync('tar', ['-tvf', file], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
  })
  for (const line of listed.trimEnd().split('\n')) t.match(line, /^-rw-r--r--.* (2026-01-02 03:04|Jan +2)/)
  for (const { name, content } of FILES) {
    t.ok(execFileSync('tar', ['-xOf', file, name]).equals(Buffer.from(content)), name)
  }
  t.end()
})

t.test('it is whole blocks with two of zeros at the end, and each header has its checksum', t => {
  const archive = tar(FILES, 0)
  t.equal(archive.length % 512, 0)
  t.ok(archive.subarray(-1024).equals(Buffer.alloc(1024)))
  let at = 0
  for (const { name, content } of FILES) {
    const header = archive.subarray(at, at + 512)
    t.equal(header.toString('latin1', 0, name.length), name)
    const said = Number.parseInt(header.toString('latin1', 148, 154), 8)
    const sum = header.reduce((all, byte, index) => all + (index >= 148 && index < 156 ? 0x20 : byte), 0)
    t.equal(said, sum)
    at += 512 + Math.ceil(Buffer.byteLength(content) / 512) * 512
  }
  t.equal(at, archive.length - 1024)
  t.end()
})

t.test('a name that a header has no place for is refused', t => {
  for (const name of ['', 'n'.repeat(101), 'ü', 'a b']) t.throws(() => tar([{ name, content: '' }], 0), RangeError)
  t.end()
})
