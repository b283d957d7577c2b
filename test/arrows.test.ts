/** The layout holds: who imports whom, and which room is the one door to which outside package. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'

const src = join(import.meta.dirname, '../src')
const SHELF = [
  'arena',
  'budget',
  'chunk',
  'clock',
  'directory',
  'duration',
  'errors',
  'events',
  'ledger',
  'limiter',
  'log',
  'memory',
  'metadata',
  'private',
  'proxy',
  'reminder',
  'size',
  'state',
  'termination',
  'version',
].map(name => `${name}.ts`)

/** Which rooms and files each room may import, besides itself. A name with a slash is one file. */
const ARROWS: Record<string, readonly string[]> = {
  shelf: [],
  kernel: ['shelf'],
  backends: ['kernel/kernel.ts', 'shelf'],
  tail: ['kernel', 'backends/backend.ts', 'shelf'],
  process: ['kernel', 'backends/backend.ts', 'shelf'],
  delivery: ['kernel', 'backends/backend.ts', 'shelf'],
  server: ['kernel', 'backends/backend.ts', 'shelf'],
  config: [
    'backends/registry.ts',
    'delivery/options.ts',
    'server/options.ts',
    'tail/options.ts',
    'process/options.ts',
    'shelf',
  ],
  report: ['pipeline', 'tail', 'delivery', 'server', 'shelf'],
  destination: [
    'delivery',
    'kernel',
    'backends/backend.ts',
    'backends/registry.ts',
    'config/config.ts',
    'tail/options.ts',
    'shelf',
  ],
  pipeline: ['destination', 'tail', 'process', 'delivery', 'shelf'],
  shipper: ['report', 'pipeline', 'destination', 'tail', 'process', 'delivery', 'server', 'config/config.ts', 'shelf'],
  cli: [
    'shipper',
    'destination',
    'config',
    'backends/backend.ts',
    'delivery/deadletter.ts',
    'delivery/exchange.ts',
    'delivery/options.ts',
    'delivery/secrets.ts',
    'tail/claim.ts',
    'tail/glob.ts',
    'tail/meaning.ts',
    'tail/options.ts',
    'tail/overlap.ts',
    'tail/preview.ts',
    'server',
    'shelf',
  ],
  main: ['cli', 'config', 'shipper', 'server', 'shelf'],
}

const backend = /^backends\//
const DOORS: Record<string, (file: string) => boolean> = {
  undici: file => file === 'delivery/line.ts',
  chokidar: file => file === 'tail/watcher.ts',
  pino: file => file === 'main.ts',
  'assemblyscript/asc': file => file === 'kernel/build.ts',
  yaml: file => file.startsWith('config/'),
  'prom-client': file => file === 'server/metrics.ts',
  'zod/mini': file =>
    backend.test(file) ||
    file.startsWith('config/') ||
    ['size.ts', 'duration.ts', 'metadata.ts', 'options.ts', 'schema.ts'].includes(basename(file)),
}

function roomOf(file: string): string {
  if (SHELF.includes(file)) return 'shelf'
  const [first] = file.split('/')
  return first!.replace(/\.ts$/, '')
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.startsWith('kernel/assembly/'))
  .sort()

// Comments may speak of imports; only code counts.
const code = new Map(
  files.map(file => [file, readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')]),
)

const imports: Import[] = files.flatMap(file =>
  [...code.get(file)!.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([@\w./:-]+)'/g)].map(([, to]) => ({
    from: file,
    to: to!,
  })),
)

t.test('the sources are seen', t => {
  t.ok(files.includes('shipper.ts') && files.includes('tail/tail.ts'))
  t.ok(imports.some(({ from, to }) => from === 'tail/watcher.ts' && to === 'chokidar'))
  t.ok(imports.some(({ from, to }) => from === 'shipper.ts' && to === './tail/tail.ts'))
  t.end()
})

t.test('imports point down only', t => {
  const wrong: string[] = []
  for (const { from, to } of imports) {
    if (!to.startsWith('.') || to.endsWith('package.json')) continue
    const target = normalize(join(dirname(from), to))
    const [room, other] = [roomOf(from), roomOf(target)]
    const allowed = ARROWS[room]
    if (allowed === undefined) wrong.push(`${from}: no arrow is drawn for the room “${room}”`)
    else if (room !== other && !allowed.includes(other) && !allowed.includes(target)) {
      wrong.push(`${from} imports ${target}: ${room} may only import ${allowed.join(', ') || 'nothing of ours'}`)
    }
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('each outside package has one door', t => {
  const wrong: string[] = []
  for (const { from, to } of imports) {
    if (to.startsWith('.') || to.startsWith('node:')) continue
    const door = DOORS[to]
    if (door === undefined) wrong.push(`${from} imports ${to}: a package without a door`)
    else if (!door(from)) wrong.push(`${from} imports ${to}: that is not its door`)
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('only main ends the process, by the one way that nothing can hold up', t => {
  const ending = files.filter(file => /\bprocess\.(exit|reallyExit|abort|kill|exitCode|execve)\b/.test(code.get(file)!))
  t.strictSame(ending, ['cli/leave.ts'])
  t.strictSame(
    imports.filter(({ to }) => to.endsWith('/leave.ts')).map(({ from }) => from),
    ['main.ts'],
  )
  t.end()
})

t.test('names say what a thing is, and exports have one', t => {
  const vague = /^(utils?|helpers?|common|manager|base|misc|index)\.ts$/
  t.strictSame(
    files.filter(file => file.split('/').some(part => vague.test(part.endsWith('.ts') ? part : `${part}.ts`))),
    [],
  )
  t.strictSame(
    files.filter(file => /\bexport\s+default\b/.test(code.get(file)!)),
    [],
  )
  const barrels = files.filter(file => {
    const text = code.get(file)!
    const own = /^export\s+(async\s+)?(function|class|const|interface|type\s+\w)/m.test(text)
    return /^export\s*\*/m.test(text) || (/^export\s*(type\s*)?\{/m.test(text) && !own)
  })
  t.strictSame(barrels, [], 'no file only hands on what others export')
  t.end()
})

t.test('nothing inherits but errors', t => {
  const wrong = files.filter(file => /\bclass\s+\w+\s+extends\s+(?!Error\b|\w*Error\b)/.test(code.get(file)!))
  t.strictSame(wrong, [])
  t.end()
})
