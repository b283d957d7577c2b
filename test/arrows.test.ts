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
  'descriptor',
  'directory',
  'duration',
  'environment',
  'errors',
  'events',
  'head',
  'ledger',
  'limiter',
  'log',
  'memory',
  'metadata',
  'partition',
  'path',
  'platform',
  'private',
  'progress',
  'proxy',
  'region',
  'reminder',
  'signature',
  'size',
  'state',
  'tap',
  'termination',
  'url',
  'version',
  'volume',
].map(name => `${name}.ts`)

/** Which rooms and files each room may import, besides itself. A name that ends in `.ts` is one file. */
const ARROWS: Record<string, readonly string[]> = {
  shelf: [],
  kernel: ['shelf'],
  process: ['kernel', 'shelf'],
  backends: ['kernel/template.ts', 'kernel/fields.ts', 'shelf'],
  tail: ['kernel', 'shelf'],
  delivery: ['kernel', 'backends/backend.ts', 'shelf'],
  server: ['shelf'],
  config: ['process', 'backends/registry.ts', 'delivery/options.ts', 'server/options.ts', 'tail/options.ts', 'shelf'],
  manifest: ['config', 'shelf'],
  convert: ['config', 'process'],
  report: ['pipeline', 'tail', 'delivery', 'server', 'shelf'],
  destination: [
    'delivery',
    'kernel',
    'backends/backend.ts',
    'backends/registry.ts',
    'config/config.ts',
    'tail/options.ts',
    'process',
    'shelf',
  ],
  pipeline: ['destination', 'tail', 'delivery', 'shelf'],
  shipper: [
    'report',
    'pipeline',
    'destination',
    'process/unparsed.ts',
    'tail',
    'delivery',
    'server',
    'config/config.ts',
    'shelf',
  ],
  cli: [
    'shipper',
    'destination',
    'config',
    'manifest',
    'convert',
    'backends/backend.ts',
    'process/preview/cutter.ts',
    'process/preview/preview.ts',
    'delivery/options.ts',
    'delivery/encoding/record-times.ts',
    'delivery/identity/advice.ts',
    'delivery/identity/missing.ts',
    'delivery/outcome/deadletter.ts',
    'delivery/transport/transport.ts',
    'delivery/transport/secrets.ts',
    'tail/options.ts',
    'tail/patterns/glob.ts',
    'tail/patterns/meaning.ts',
    'tail/patterns/overlap.ts',
    'tail/state/lock.ts',
    'tail/watching/preview.ts',
    'server',
    'shelf',
  ],
  main: ['cli', 'config', 'shelf'],
  start: ['main', 'cli/args.ts'],
}

/** The rooms and files within a room, the lowest first: each may import what stands before it, and nothing behind. */
const ORDER: Record<string, readonly string[]> = {
  tail: [
    'patterns',
    'options.ts',
    'files',
    'state',
    'directories',
    'watching',
    'generation',
    'framing',
    'rotation',
    'following',
    'tail.ts',
    'lag.ts',
    'sources.ts',
  ],
  delivery: [
    'options.ts',
    'batching.ts',
    'capacity.ts',
    'retry.ts',
    'circuit.ts',
    'transport',
    'identity',
    'encoding',
    'outcome',
    'attempt.ts',
    'sender.ts',
    'aside',
    'shipment.ts',
    'delivery.ts',
  ],
  manifest: ['manifest.ts', 'insertion.ts', 'sidecar.ts', 'doctor'],
  convert: [
    'remarks.ts',
    'references.ts',
    'setting.ts',
    'made.ts',
    'print.ts',
    'times.ts',
    'sizes.ts',
    'expressions.ts',
    'source.ts',
    'draft.ts',
    'conversion.ts',
    'backends.ts',
    'checked.ts',
    'tree.ts',
    'toml.ts',
    'input.ts',
    'fluent-bit',
    'loki',
    'promtail.ts',
    'alloy',
    'filebeat',
    'vector',
    'convert.ts',
  ],
}
/** A room within a room, and `tail`, are known to the others by so many files at the most. */
const MOST_DOORS = 8

const backend = /^backends\//
const DOORS: Record<string, (file: string) => boolean> = {
  undici: file => file === 'delivery/transport/connection.ts',
  chokidar: file => file === 'tail/watching/watcher.ts',
  pino: file => file === 'main.ts',
  'assemblyscript/asc': file => file === 'kernel/build.ts',
  'smol-toml': file => file === 'convert/toml.ts',
  yaml: file => file.startsWith('config/') || file.startsWith('manifest/'),
  'prom-client': file => file === 'server/metrics.ts',
  'zod/mini': file =>
    backend.test(file) ||
    file.startsWith('config/') ||
    ['size.ts', 'duration.ts', 'metadata.ts', 'options.ts', 'schema.ts'].includes(basename(file)),
}

function roomOf(file: string): string {
  if (SHELF.includes(file) || file.startsWith('events/')) return 'shelf'
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

/** Imports of our own files, by the file that they lead to. */
const inner = imports
  .filter(({ to }) => to.startsWith('.') && !to.endsWith('package.json'))
  .map(({ from, to }) => ({ from, target: normalize(join(dirname(from), to)) }))

t.test('the sources are seen', t => {
  t.ok(files.includes('shipper.ts') && files.includes('tail/tail.ts'))
  t.ok(imports.some(({ from, to }) => from === 'tail/watching/watcher.ts' && to === 'chokidar'))
  t.ok(imports.some(({ from, to }) => from === 'shipper.ts' && to === './tail/sources.ts'))
  t.end()
})

t.test('imports point down only', t => {
  const wrong: string[] = []
  for (const { from, target } of inner) {
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

t.test('each permission is used', t => {
  const used = new Set<string>()
  for (const { from, target } of inner) {
    used.add(`${roomOf(from)} ${roomOf(target)}`)
    used.add(`${roomOf(from)} ${target}`)
  }
  const unused = Object.entries(ARROWS).flatMap(([room, others]) =>
    others.filter(other => !used.has(`${room} ${other}`)).map(other => `${room} may import ${other} and does not`),
  )
  t.strictSame(unused, [])
  t.end()
})

t.test('within a room imports point down too, and each room in it has few doors', t => {
  const wrong: string[] = []
  const doors = new Map<string, Set<string>>()
  for (const { from, target } of inner) {
    const [room, own] = from.split('/')
    const [other, part] = target.split('/')
    if (part !== undefined && (room !== other || own !== part)) {
      const inside = `${other}/${part}`
      doors.set(inside, (doors.get(inside) ?? new Set()).add(target))
    }
    const order = room === other ? ORDER[room!] : undefined
    if (order === undefined || own === part) continue
    const [at, to] = [order.indexOf(own!), order.indexOf(part!)]
    if (at < 0 || to < 0) wrong.push(`${from} imports ${target}: no place in the order of ${room}`)
    else if (to >= at) wrong.push(`${from} imports ${target}: ${part} stands above ${own}`)
  }
  for (const [room, order] of Object.entries(ORDER)) {
    for (const part of order) {
      if (!files.some(file => file === `${room}/${part}` || file.startsWith(`${room}/${part}/`)))
        wrong.push(`${room}/${part} is not there`)
      const known = doors.get(`${room}/${part}`)?.size ?? 0
      if (known > MOST_DOORS) wrong.push(`${room}/${part} has ${known} doors`)
    }
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('the whole of tail is known to the other rooms by few files', t => {
  const doors = new Set(
    inner
      .filter(({ from, target }) => roomOf(target) === 'tail' && roomOf(from) !== 'tail')
      .map(({ target }) => target),
  )
  t.ok(doors.size <= MOST_DOORS, [...doors].sort().join(' '))
  t.end()
})

t.test('no files import each other in a circle', t => {
  const next = new Map<string, string[]>()
  for (const { from, target } of inner) next.set(from, [...(next.get(from) ?? []), target])
  const done = new Set<string>()
  const circles: string[] = []
  const walk = (file: string, above: readonly string[]): void => {
    const at = above.indexOf(file)
    if (at >= 0) circles.push([...above.slice(at), file].join(' → '))
    if (at >= 0 || done.has(file)) return
    for (const each of next.get(file) ?? []) walk(each, [...above, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  t.strictSame(circles, [])
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
  // The latter ends nothing: before there is a program it becomes the same one.
  t.strictSame(ending, ['cli/leave.ts', 'start/settle.ts'])
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
