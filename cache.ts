/**
 * `cache.ts DIRECTORY`: the compiled code of the program in DIRECTORY, beside it, for the Node that runs this
 * (src/start/compiled.ts).
 *
 *     run to `started`, three times ──► the functions that two of them called ──► those compiled, and none called
 *
 * All code of the program would take three megabytes of memory that a start has no use for; what has run is what a
 * start needs. V8 could keep the code of a process that ran, but numbers it as it came, and never twice the same.
 *
 * Guarantees: the same program and the same Node give the same bytes. What is called by chance is in one run of many,
 * or missing in one; and what is compiled is compiled in the order of the text, by a V8 that is seeded and on one
 * thread.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type Debugger, type Profiler, Session } from 'node:inspector'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import { compiledFile, PROGRAM, scriptOf, seal, textOf } from './src/start/compiled.ts'

/** None of these counts as another flag when the code is read. */
const PREDICTABLE = ['--predictable', '--random-seed=1']
const RUNS = 3
/** Wherever it lies: what V8 makes of it would differ by its name. */
const NAMED = `/${PROGRAM}`
/** Milliseconds of its own clock that the program runs on after its start, and those after which no timer of it ends. */
const REST = 1500
const SOON = 500

/** In a process of its own: runs the program, and at SIGUSR2 writes where the functions that were called begin. */
function observe(filename: string, config: string, out: string): void {
  const timeout = globalThis.setTimeout
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false })
  process.on('SIGUSR2', () => timeout(() => session.post('Profiler.takePreciseCoverage', take), REST))
  const take = (_: Error | null, { result }: Profiler.TakePreciseCoverageReturnType): void => {
    const url = pathToFileURL(filename).href
    const functions = result.find(script => script.url === url || script.url === filename)?.functions ?? []
    const called = functions
      .filter(({ ranges: [range] }) => range!.count > 0)
      .map(({ ranges }) => ranges[0]!.startOffset)
    writeFileSync(out, JSON.stringify([...new Set(called)]))
    process.kill(process.pid, 'SIGKILL')
  }
  // What comes later would come in one run and not in the next, as the machine has time.
  globalThis.setTimeout = ((callback: () => void, ms: number, ...args: []) =>
    timeout(callback, ms > SOON ? 2 ** 31 - 1 : ms, ...args)) as typeof setTimeout
  // Another flag would be another V8.
  v8.setFlagsFromString = () => {}
  process.argv = [process.argv[0]!, filename, 'run', '--config', config]
  const main = scriptOf(filename, readFileSync(filename)).runInThisContext() as (...parts: unknown[]) => void
  main({}, createRequire(filename), { exports: {} }, filename, dirname(filename))
}

/** In a process of its own: compiles the functions that begin in these places, and writes what V8 made of them. */
async function compile(filename: string, places: readonly number[], out: string): Promise<void> {
  const session = new Session()
  session.connect()
  let scriptId: string | undefined
  session.on('Debugger.scriptParsed', ({ params }: { params: Debugger.ScriptParsedEventDataType }) => {
    if (params.url === pathToFileURL(NAMED).href || params.url === NAMED) ({ scriptId } = params)
  })
  session.post('Debugger.enable')
  const script = scriptOf(NAMED, readFileSync(filename))
  // Makes the function that is the program, and does not call it.
  script.runInThisContext()
  while (scriptId === undefined) await sleep(10)
  const at = locator(filename)
  for (const place of places) {
    const start = { scriptId, ...at(place) }
    // To say where it may be stopped the debugger compiles it, and nothing within it.
    session.post('Debugger.getPossibleBreakpoints', { start, restrictToFunction: true }, error => {
      if (error) throw error
    })
  }
  session.post('Debugger.disable')
  session.disconnect()
  writeFileSync(out, script.createCachedData())
}

/** Lines and columns of places in the text that is compiled. */
function locator(filename: string): (place: number) => { lineNumber: number; columnNumber: number } {
  const text = textOf(readFileSync(filename))
  const lines = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.push(at + 1)
  return place => {
    const lineNumber = lines.findLastIndex(start => start <= place)
    return { lineNumber, columnNumber: place - lines[lineNumber]! }
  }
}

function child(flags: readonly string[], args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...flags, import.meta.filename, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Nothing of a configuration that the environment has.
    env: { PATH: process.env['PATH'] },
  })
}

/** Where the functions begin that a start calls. */
async function calledIn(filename: string, directory: string): Promise<number[]> {
  const [config, out] = [join(directory, 'config.yaml'), join(directory, 'called.json')]
  writeFileSync(
    config,
    `# As most are: YAML, one source, one backend.
sources:
  - name: app
    paths: [${directory}/*.log]
    labels: { app: web }
backends:
  - { type: http, endpoint: 'http://127.0.0.1:9/ingest' }
state: { dir: ${directory}/state }
server: { port: 0, admin: off }
`,
  )
  const program = child([], [filename, config, out])
  const closed = once(program, 'close')
  let port: number | undefined
  let said = ''
  for await (const line of createInterface({ input: program.stderr! })) {
    said += `${line}\n`
    const { msg, port: own } = line.startsWith('{') ? (JSON.parse(line) as { msg: string; port?: number }) : {}
    if (msg === 'listening') port = own
    if (msg === 'started') {
      await (await fetch(`http://127.0.0.1:${port}/startupz`)).text()
      program.kill('SIGUSR2')
    }
  }
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null]
  if (signal !== 'SIGKILL')
    throw new Error(`${filename}: it ended with ${code ?? signal} before it had started\n${said}`)
  return JSON.parse(readFileSync(out, 'utf8')) as number[]
}

/** The compiled code of the program, for V8 alone. */
async function made(filename: string): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-cache-'))
  try {
    const counts = new Map<number, number>()
    for (let n = 0; n < RUNS; n++) {
      const own = mkdtempSync(join(directory, 'run-'))
      for (const place of await calledIn(filename, own)) counts.set(place, (counts.get(place) ?? 0) + 1)
    }
    const places = [...counts.keys()].filter(place => counts.get(place)! > RUNS / 2).sort((a, b) => a - b)
    const [list, out] = [join(directory, 'places.json'), join(directory, 'code')]
    writeFileSync(list, JSON.stringify(places))
    const compiler = child(PREDICTABLE, ['--compile', filename, list, out])
    let said = ''
    compiler.stderr!.on('data', (part: Buffer) => (said += part.toString()))
    const [code] = (await once(compiler, 'close')) as [number | null]
    if (code !== 0) throw new Error(`${filename}: its functions cannot be compiled\n${said}`)
    return readFileSync(out)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const [first, ...others] = process.argv.slice(2)
if (first === undefined) throw new Error('cache.ts DIRECTORY')
if (first === '--compile') {
  const [filename, list, out] = others
  await compile(filename!, JSON.parse(readFileSync(list!, 'utf8')) as number[], out!)
} else if (others.length > 0) observe(first, others[0]!, others[1]!)
else {
  const directory = resolve(first)
  const [filename, file] = [join(directory, PROGRAM), compiledFile(directory)]
  const data = await made(filename)
  const program = readFileSync(filename)
  if (scriptOf(filename, program, data).cachedDataRejected !== false)
    throw new Error(`${filename}: V8 does not accept its own code`)
  writeFileSync(`${file}.new`, seal(data, program))
  renameSync(`${file}.new`, file)
}
