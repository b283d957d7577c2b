import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory, obstacleTo } from '../src/directory.ts'
import { scratch } from './scratch.ts'

t.test('a directory is made with those above it, and may be there already', t => {
  const dir = scratch(t, { there: {} })
  const path = join(dir, 'a/b/c')
  makeDirectory(path, 0o700)
  makeDirectory(path, 0o700)
  t.equal(statSync(path).mode & 0o777, 0o700)
  symlinkSync(join(dir, 'there'), join(dir, 'link'))
  makeDirectory(join(dir, 'link'))
  makeDirectory(join(dir, 'link/below'))
  t.ok(statSync(join(dir, 'there/below')).isDirectory())
  t.throws(() => makeDirectory('/proc/logshipper/state'), { code: 'ENOENT' }, 'and it ends where none can be made')
  t.end()
})

t.test('why no directory can be made is said in words', t => {
  const dir = scratch(t, { file: '', link: t.fixture('symlink', '/nowhere/at/all') })
  symlinkSync(join(dir, 'two'), join(dir, 'one'))
  symlinkSync(join(dir, 'one'), join(dir, 'two'))
  const table: [path: string, found: RegExp | undefined][] = [
    ['/proc/logshipper', /^a file system of the kernel that keeps no files: \/proc$/],
    ['/proc/self/a/b', /keeps no files: \/proc\/self$/],
    ['/sys/logshipper', /^a file system of the kernel that keeps no files: \/sys$/],
    [join(dir, 'file'), /^a file in the way: .*\/file$/],
    [join(dir, 'file/a/b'), /^a file in the way: .*\/file$/],
    ['/dev/null/a', /^a file in the way: \/dev\/null$/],
    [join(dir, 'link'), /^a symbolic link that leads nowhere: .*\/link$/],
    [join(dir, 'link/a'), /^a symbolic link that leads nowhere: .*\/link$/],
    [join(dir, 'one'), /^symbolic links that lead in a circle: .*\/one$/],
    [join(dir, 'one/a'), /^symbolic links that lead in a circle: .*\/one$/],
    [join(dir, 'x'.repeat(300)), /^a name that is too long$/],
    [join(dir, 'fine'), undefined],
    [dir, undefined],
  ]
  for (const [path, found] of table) {
    const said = obstacleTo(path)
    if (found === undefined) t.equal(said, undefined, path)
    else t.match(said, found, path)
  }
  t.end()
})

const mounts = spawnSync('unshare', ['-rm', 'true']).status === 0 ? false : 'nothing can be mounted here'

t.test(
  'a read-only file system is an obstacle to a new directory, and none to one that is there',
  { skip: mounts },
  t => {
    const dir = scratch(t, { mount: {} })
    mkdirSync(join(dir, 'there'))
    const script = `
    import { obstacleTo } from ${JSON.stringify(new URL('../src/directory.ts', import.meta.url).pathname)}
    process.stdout.write([obstacleTo(process.argv[1] + '/new'), obstacleTo(process.argv[1] + '/state')].join('|'))`
    writeFileSync(join(dir, 'ask.mjs'), script)
    const mounted = join(dir, 'mount')
    const commands = [
      'mount -t tmpfs tmpfs "$1"',
      'mkdir "$1/state"',
      'mount -o remount,ro "$1"',
      'exec "$2" --input-type=module -e "$(cat "$3")" "$1"',
    ]
    const args = ['-rm', 'sh', '-ec', commands.join('\n'), 'sh', mounted, process.execPath, join(dir, 'ask.mjs')]
    const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' })
    t.equal(stdout, `a read-only file system: ${mounted}|`, stderr)
    t.end()
  },
)
