/** What is listed of directories: real files of every kind, and none of their content. */
import { mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listingOf } from '../../../src/cli/bundle/listing.ts'
import { scratch } from '../../scratch.ts'

t.test('files are listed with inode, mode, size and time, and nothing of what is in them', t => {
  const directory = scratch(t, { logs: { 'app.log': 'canary of a line\n' } })
  const log = join(directory, 'logs/app.log')
  utimesSync(log, new Date('2026-01-02T03:04:05Z'), new Date('2026-01-02T03:04:05.678Z'))
  symlinkSync('app.log', join(directory, 'logs/current\x1b[2J\n.log'))
  const text = listingOf([directory, directory, join(directory, 'none')])
  t.notMatch(text, 'canary')
  const { ino } = statSync(log)
  t.match(text, new RegExp(`^ *${ino} -0\\d{3} .* 17 2026-01-02T03:04:05\\.678Z ${log}$`, 'm'))
  t.match(text, /^ *\d+ d0\d{3} .*\/logs$/m)
  t.match(text, /^ *\d+ l0777 .*\/current\\u001b\[2J\\u000a\.log -> app\.log$/m)
  t.notMatch(text, '\x1b')
  t.match(text, /^cannot be read: .*\/none \(ENOENT\)$/m)
  t.equal(text.match(/bytes and \d+ of \d+ inodes are free$/gm)?.length, 1, 'each directory once')
  t.end()
})

t.test('a link to a directory is not followed', t => {
  const directory = scratch(t, { outside: { secret: '' }, logs: {} })
  mkdirSync(join(directory, 'logs'), { recursive: true })
  symlinkSync(join(directory, 'outside'), join(directory, 'logs/link'))
  const text = listingOf([join(directory, 'logs')])
  t.match(text, /\/logs\/link -> .*\/outside$/m)
  t.notMatch(text, 'outside/secret')
  t.end()
})

t.test('of very many names, and of directories within each other, a bounded part is listed, which is said', t => {
  const many = scratch(t, {})
  for (let n = 0; n < 2100; n++) writeFileSync(join(many, String(n)), '')
  const text = listingOf([many])
  t.equal(text.split('\n').length, 2000 + 4)
  t.match(text, 'no more than 2000 names are listed')
  const deep = join(many, 'd')
  mkdirSync(join(deep, ...Array.from({ length: 40 }, () => 'd')), { recursive: true })
  const rows = listingOf([deep])
  t.equal(rows.match(/\/d$/gm)?.length, 17)
  t.match(rows, '16 directories deep')
  t.end()
})
