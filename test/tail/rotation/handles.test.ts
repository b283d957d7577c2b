/** Files that were open under the configuration before: each is taken or closed, once. */
import { fstatSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Handles } from '../../../src/tail/rotation/handles.ts'
import { scratch } from '../../scratch.ts'

function opened(t: Test, ...keys: string[]): Map<string, number> {
  const file = join(scratch(t), 'app.log')
  writeFileSync(file, 'a line\n')
  return new Map(keys.map(key => [key, openSync(file, 'r')]))
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

t.test('a handle that is taken is the taker’s: it is not given twice, nor closed with the others', t => {
  const fds = opened(t, 'a', 'b')
  const handles = new Handles(fds, ['b'])
  t.ok(handles.has('a'))
  t.equal(handles.take('a'), fds.get('a'))
  t.notOk(handles.has('a'))
  t.equal(handles.take('a'), undefined)
  handles.drop('a')
  handles.close()
  t.ok(isOpen(fds.get('a')!))
  t.notOk(isOpen(fds.get('b')!), 'what nothing took is closed')
  handles.close()
  t.end()
})

t.test('a file that was found under its name needs no handle from before', t => {
  const fds = opened(t, 'a')
  const handles = new Handles(fds)
  handles.drop('a')
  t.notOk(isOpen(fds.get('a')!))
  t.notOk(handles.has('a'))
  t.end()
})

t.test('which files had lost their names is known, whether or not their handles are still there', t => {
  const handles = new Handles([], ['a'])
  t.ok(handles.isAside('a'))
  t.notOk(handles.isAside('b'))
  t.end()
})
