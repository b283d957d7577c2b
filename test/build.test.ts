/** What the build makes: the program that runs beside an application, and apart from it what no pod needs. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scratch } from './scratch.ts'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const inputs = JSON.parse(readFileSync(join(DIST, 'inputs.json'), 'utf8')) as Record<
  'start' | 'program' | 'manifests' | 'convert',
  Record<string, number>
>

t.test('the program holds nothing of what reads manifests, and that holds nothing of what ships', t => {
  const among = (bundle: keyof typeof inputs, prefix: string) =>
    Object.keys(inputs[bundle]).filter(file => file.startsWith(prefix))
  t.ok(among('program', 'src/tail/').length > 20 && among('manifests', 'src/manifest/').length > 5, 'both are seen')
  t.strictSame(among('program', 'src/manifest/'), [])
  t.strictSame(
    ['src/tail/', 'src/delivery/', 'src/server/', 'node_modules/undici/'].flatMap(prefix => among('manifests', prefix)),
    [],
  )
  t.end()
})

t.test('what is started is little, for it is compiled at each start', t => {
  const files = Object.keys(inputs.start)
  t.ok(files.includes('src/start/built.ts') && !files.includes('src/start/source.ts'), 'it loads what was built')
  t.strictSame(
    files.filter(
      file =>
        file.startsWith('node_modules/') || /^src\/(?!start|cli|config\/(nearest|foreign)|errors|platform)/.test(file),
    ),
    [],
  )
  t.end()
})

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
    - name: web
      image: web
      volumeMounts:
        - name: logs
          mountPath: /logs
  volumes:
    - name: logs
      emptyDir: {}
`

t.test('the program holds nothing of what converts, and that holds nothing of what ships', t => {
  const among = (bundle: keyof typeof inputs, prefix: string) =>
    Object.keys(inputs[bundle]).filter(file => file.startsWith(prefix))
  t.ok(among('convert', 'src/convert/').length > 20 && among('convert', 'node_modules/smol-toml/').length > 0)
  t.strictSame([...among('program', 'src/convert/'), ...among('program', 'node_modules/smol-toml/')], [])
  t.strictSame(
    ['src/tail/', 'src/delivery/', 'src/server/', 'src/backends/', 'node_modules/undici/'].flatMap(prefix =>
      among('convert', prefix),
    ),
    [],
  )
  t.end()
})

t.test('the commands on manifests are found beside the program, wherever it lies and whatever it is called', t => {
  const dir = scratch(t)
  // As npm installs it: a link in .bin; as the image has it: under another name.
  symlinkSync(join(DIST, 'logshipper.cjs'), join(dir, 'logshipper'))
  copyFileSync(join(DIST, 'logshipper.cjs'), join(dir, 'logshipper.js'))
  copyFileSync(join(DIST, 'logshipper-program.cjs'), join(dir, 'logshipper-program.cjs'))
  // The image has no package.json that would make a module of it.
  writeFileSync(join(dir, 'package.json'), '{}')
  for (const name of ['manifests', 'convert']) {
    copyFileSync(join(DIST, `logshipper-${name}.cjs`), join(dir, `logshipper-${name}.cjs`))
  }
  for (const program of ['logshipper', 'logshipper.js']) {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(dir, program), ...args], { input: POD, encoding: 'utf8', cwd: '/' })
    const { status, stdout } = run('inject', '-')
    t.equal(status, 0, program)
    t.match(stdout, '    - name: logshipper\n')
    t.match(run('doctor', '-'), { status: 0, stdout: /^1 pod: 0 errors/m }, program)
    const converted = run('convert', '--from', 'filebeat', '-')
    t.match(converted, { status: 2, stderr: /no input that follows files/ }, program)
  }
  t.end()
})
