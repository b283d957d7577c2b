import { appendFileSync, closeSync, openSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  generationId,
  HEAD_BYTES,
  headMatches,
  inodeKey,
  inodeOf,
  MARKER_BYTES,
  markerMatches,
  markerOf,
  NO_HEAD,
  NO_MARKER,
  readHead,
  readMarker,
} from '../../../src/tail/files/fingerprint.ts'
import { scratch } from '../../scratch.ts'

function file(t: Test, content: string | Buffer): { path: string; fd: number } {
  const path = join(scratch(t), 'app.log')
  writeFileSync(path, content)
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  return { path, fd }
}

t.test('a head holds while the file grows and fails when its first bytes change', t => {
  const { path, fd } = file(t, 'a')
  const head = readHead(fd, 1)!
  t.equal(head.length, 1, 'one byte is enough')
  appendFileSync(path, 'b'.repeat(5000))
  t.ok(headMatches(fd, head))
  t.equal(readHead(fd, 5001)!.length, HEAD_BYTES, 'it grows no further than this')
  writeFileSync(path, 'x')
  t.notOk(headMatches(fd, head))
  truncateSync(path)
  t.notOk(headMatches(fd, head))
  t.ok(headMatches(fd, NO_HEAD), 'nothing known matches anything')
  t.equal(readHead(fd, 10), undefined, 'what is not there has no head')
  t.end()
})

t.test('a marker tells the bytes before an offset, also when the heads are alike', t => {
  const { path, fd } = file(t, `${'same head '.repeat(200)}old end\n`)
  const end = 2008
  const marker = readMarker(fd, end)!
  t.equal(marker.length, MARKER_BYTES)
  t.ok(markerMatches(fd, end, marker))
  const head = readHead(fd, end)!
  writeFileSync(path, `${'same head '.repeat(200)}new end, and more\n`)
  t.ok(headMatches(fd, head))
  t.notOk(markerMatches(fd, end, marker))
  truncateSync(path, 100)
  t.notOk(markerMatches(fd, end, marker), 'a file that is too short does not match')
  t.ok(markerMatches(fd, 0, NO_MARKER))
  t.end()
})

t.test('a marker of bytes in memory is the one of the same bytes in the file', t => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, n) => n & 255))
  const { fd } = file(t, bytes)
  for (const offset of [1, 63, 64, 65, 300]) {
    t.strictSame(readMarker(fd, offset), markerOf(bytes.subarray(Math.max(0, offset - MARKER_BYTES), offset)))
  }
  t.strictSame(readMarker(fd, 0), NO_MARKER)
  t.end()
})

t.test('a saved fingerprint that no file can have matches nothing and throws nothing', t => {
  const { fd } = file(t, 'content\n')
  t.notOk(headMatches(fd, { length: 2 ** 40, hash: 'x' }))
  t.notOk(markerMatches(fd, 4, { length: 2 ** 40, crc: 0 }))
  t.notOk(markerMatches(fd, 4, { length: 64, crc: 0 }), 'a marker that would begin before the file')
  t.notOk(markerMatches(2 ** 30, 4, { length: 4, crc: 0 }), 'no such handle')
  t.end()
})

t.test('an inode keeps its identity under another name, and ids depend on every part', t => {
  const { path } = file(t, 'content\n')
  const inode = inodeOf(statSync(path, { bigint: true }))
  renameSync(path, `${path}.1`)
  const renamed = inodeOf(statSync(`${path}.1`, { bigint: true }))
  t.strictSame(renamed, inode)
  t.equal(inodeKey(renamed), inodeKey(inode))
  const id = generationId('epoch', inode, 0)
  t.match(id, /^[0-9a-f]{16}$/)
  t.equal(generationId('epoch', renamed, 0), id)
  const others = [
    generationId('other', inode, 0),
    generationId('epoch', inode, 1),
    generationId('epoch', { ...inode, dev: '0' }, 0),
    generationId('epoch', { ...inode, ino: '0' }, 0),
    generationId('epoch', { ...inode, birth: '0' }, 0),
  ]
  t.equal(new Set([id, ...others]).size, 6)
  t.end()
})
