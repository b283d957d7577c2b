/** Names in directories are told as they are, and a crowded directory that is asked for thousands of times is read few times. */
import { closeSync, fstatSync, linkSync, lstatSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inodeOf } from '../../../src/tail/files/fingerprint.ts'
import { Listings } from '../../../src/tail/files/listings.ts'
import { plant, scratch } from '../../scratch.ts'

/** A clock that stands until it is moved. */
function clock() {
  return {
    at: 1000,
    now() {
      return this.at
    },
  }
}

/** In a crowd, the only file that has an inode of its own. */
const OWN = '7.log'

function crowd(t: Test, count: number): string {
  const dir = scratch(t)
  plant(dir, count, n => `${n}.log`)
  rmSync(join(dir, OWN))
  writeFileSync(join(dir, OWN), 'content\n')
  return dir
}

const inodeAt = (path: string) => inodeOf(lstatSync(path, { bigint: true }))

for (const count of [20, 500]) {
  t.test(`of a directory of ${count} names every change is told`, t => {
    const dir = crowd(t, count)
    const listings = new Listings(clock())
    t.equal(listings.names(dir).length, count)
    for (let n = 0; n < 50; n++) {
      writeFileSync(join(dir, `new-${n}`), '')
      t.ok(listings.names(dir).includes(`new-${n}`))
      rmSync(join(dir, `new-${n}`))
      t.notOk(listings.names(dir).includes(`new-${n}`))
    }
    t.strictSame(listings.names(join(dir, 'nowhere')), [])
    t.end()
  })

  t.test(`in a directory of ${count} names an inode is found under the name that it has now`, t => {
    const dir = crowd(t, count)
    const listings = new Listings(clock())
    const path = join(dir, OWN)
    const inode = inodeAt(path)
    t.equal(listings.nameOf(inode, path), path)
    for (let n = 1; n < 20; n++) {
      const from = n === 1 ? path : join(dir, `7.log.${n - 1}`)
      renameSync(from, join(dir, `7.log.${n}`))
      t.equal(listings.nameOf(inode, path), join(dir, `7.log.${n}`))
    }
    rmSync(join(dir, '7.log.19'))
    t.equal(listings.nameOf(inode, path), undefined)
    t.end()
  })
}

t.test('an open file is found under another link once its name is gone', t => {
  const dir = crowd(t, 500)
  const listings = new Listings(clock())
  const path = join(dir, OWN)
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  const inode = inodeOf(fstatSync(fd, { bigint: true }))
  linkSync(path, join(dir, 'link'))
  t.equal(listings.nameOfHandle(fd, inode, path), path)
  rmSync(path)
  t.equal(listings.nameOfHandle(fd, inode, path), join(dir, 'link'))
  rmSync(join(dir, 'link'))
  t.equal(listings.nameOfHandle(fd, inode, path), undefined)
  t.end()
})

t.test('a crowded directory whose names move all the time is read as often as the clock pays for', t => {
  const dir = crowd(t, 1000)
  const time = clock()
  const listings = new Listings(time)
  /** How many of so many questions were answered by another listing. */
  const readings = (questions: number) => {
    let readings = 0
    let last = listings.names(dir)
    for (let n = 0; n < questions; n++) {
      const [from, to] = [join(dir, '1.log'), join(dir, '1.log.1')]
      if (n % 2 === 0) renameSync(from, to)
      else renameSync(to, from)
      const names = listings.names(dir)
      if (names !== last) readings++
      last = names
    }
    return readings
  }
  const first = readings(1000)
  t.ok(first > 100 && first < 300, `${first} at first`)
  t.equal(readings(1000), 0, 'then none')
  time.at += 1000
  const later = readings(1000)
  t.ok(later > 50 && later < 150, `${later} after a second`)
  t.end()
})

t.test('one that has not changed for long is not read again', t => {
  const dir = crowd(t, 500)
  const time = clock()
  const listings = new Listings(time)
  listings.names(dir)
  time.at += 5000
  const names = listings.names(dir)
  for (let n = 0; n < 10; n++) t.equal(listings.names(dir), names)
  writeFileSync(join(dir, 'new'), '')
  t.ok(listings.names(dir).includes('new'))
  t.end()
})

t.test('so many files may be opened at once, and more as time passes', t => {
  const time = clock()
  const listings = new Listings(time)
  let searches = 0
  while (searches < 1000 && listings.mayOpen(2000)) searches++
  t.equal(searches, 25)
  t.ok(listings.mayOpen(100), 'those of a small directory always')
  time.at += 2000
  t.ok(listings.mayOpen(2000))
  t.notOk(listings.mayOpen(4000))
  t.end()
})
