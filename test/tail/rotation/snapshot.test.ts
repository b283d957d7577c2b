/** What stands in a directory is found by a snapshot of it as by looking through it, however often that is asked. */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inodeOf, NO_HEAD, readHead, readMarker } from '../../../src/tail/files/fingerprint.ts'
import { beside } from '../../../src/tail/files/open.ts'
import { findCopy, findInode, type Wanted } from '../../../src/tail/rotation/siblings.ts'
import { Snapshot } from '../../../src/tail/rotation/snapshot.ts'
import { scratch } from '../../scratch.ts'

const nobody = () => false

function known(path: string, offset: number): Wanted {
  const fd = openSync(path, 'r')
  const inode = inodeOf(fstatSync(fd, { bigint: true }))
  const cursors = [{ offset, marker: readMarker(fd, offset)! }]
  const wanted = { path, inode, head: readHead(fd, offset)!, cursors, bounds: [] }
  closeSync(fd)
  return wanted
}

t.test('renamed, copied, gone: it says what a look through the directory says', t => {
  const dir = scratch(t)
  const wanted: Wanted[] = []
  for (let n = 0; n < 60; n++) {
    const path = join(dir, `${n}.log`)
    // Some begin alike.
    writeFileSync(path, `line ${n % 20} of a file\nand ${n}\n`)
    wanted.push(known(path, 10 + (n % 3)))
  }
  for (let n = 0; n < 60; n += 4) renameSync(join(dir, `${n}.log`), join(dir, `moved-${n}`))
  for (let n = 1; n < 60; n += 4) {
    copyFileSync(join(dir, `${n}.log`), join(dir, `${n}.log.1`))
    truncateSync(join(dir, `${n}.log`))
  }
  for (let n = 2; n < 60; n += 4) rmSync(join(dir, `${n}.log`))
  mkdirSync(join(dir, 'directory.log.1'))
  const snapshot = new Snapshot(wanted.map(({ path, head }) => ({ origin: path, head })))
  let found = 0
  for (const each of wanted) {
    for (const find of [findInode, findCopy]) {
      const [one, other] = [find(each, nobody), find(each, nobody, snapshot)]
      t.equal(other?.path, one?.path, `${find.name} ${each.path}`)
      for (const sibling of [one, other]) if (sibling) closeSync(sibling.opened.fd)
      if (one) found++
    }
  }
  t.ok(found > 40)
  t.end()
})

t.test('a file that is renamed after it was taken is found by the name that it has then', t => {
  const dir = scratch(t, { 'app.log': 'a line\n' })
  const wanted = known(join(dir, 'app.log'), 7)
  const snapshot = new Snapshot([])
  t.equal(snapshot.nameOf(wanted.inode, wanted.path), join(dir, 'app.log'))
  renameSync(join(dir, 'app.log'), join(dir, 'app.log.1'))
  t.equal(snapshot.nameOf(wanted.inode, wanted.path), join(dir, 'app.log.1'))
  t.end()
})

t.test('of files that begin alike so many are told of, those that are called as rotations are first', t => {
  const dir = scratch(t)
  for (let n = 0; n < 200; n++) writeFileSync(join(dir, `other-${n}`), 'a banner\n')
  writeFileSync(join(dir, 'app.log'), 'a banner\n')
  const { head, path } = known(join(dir, 'app.log'), 9)
  for (let n = 1; n < 4; n++) copyFileSync(path, join(dir, `zzz-app.log.${n}`))
  // What an earlier release saved has a hash alone.
  for (const each of [head, { length: head.length, hash: head.hash }]) {
    const alike = [...(new Snapshot([{ origin: path, head: each }]).beginLike(path, each, beside(path, [])) ?? [])]
    t.equal(alike.length, 16)
    t.ok(alike.slice(0, 4).every(name => name.includes('app.log')))
  }
  t.end()
})

t.test('of what has no beginning a crowded directory is looked through a number of times, and no more', t => {
  const dir = scratch(t)
  for (let n = 0; n < 100; n++) writeFileSync(join(dir, `${n}.log`), 'x')
  const snapshot = new Snapshot([])
  const asked = Array.from({ length: 100 }, () => snapshot.beginLike(join(dir, 'app.log'), NO_HEAD, []))
  t.equal(asked.filter(each => each === undefined).length, 64)
  t.equal(asked.at(-1)?.size, 0)
  t.end()
})
