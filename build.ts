/**
 * `npm run build`: the kernel from its AssemblyScript, then one minified file with everything the program needs, its
 * compiled code, what loads both, and the notices of all whose code is in it.
 *
 * One CommonJS file starts twice as fast as the modules it is made of and keeps less in memory, and twice as fast again
 * with its compiled code (cache.ts). Parts that most runs never touch stay behind a dynamic import inside it; what no pod
 * needs is in files of their own.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { bundled, notices } from './notices.ts'
import { pack } from './src/config/keys.ts'
import { buildKernel } from './src/kernel/build.ts'
import { PROGRAM } from './src/start/compiled.ts'

/**
 * Of undici the program uses the HTTP/1.1 client alone, with bodies that are buffers. Its main file would bring fetch,
 * WebSocket, caches and mocks along: two thirds of the bundle, and some megabytes of memory. Should a new version move
 * these two files, this fails. What is left out of the client: HTTP/2, forms as bodies, and its parser for engines without SIMD,
 * on which our kernel would not run either.
 */
const undiciClient: Plugin = {
  name: 'undici-client',
  setup(setup) {
    const file = (path: string) => JSON.stringify(createRequire(import.meta.url).resolve(`undici/lib/${path}`))
    setup.onResolve({ filter: /^undici$/ }, () => ({ path: 'client', namespace: 'undici' }))
    const unused =
      /undici\/lib\/(dispatcher\/client-h2|llhttp\/llhttp-wasm|web\/fetch\/(body|formdata)|web\/webidl)(\.js)?$/
    setup.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) =>
      unused.test(join(resolveDir, path)) ? { path, namespace: 'undici-unused' } : undefined,
    )
    setup.onLoad({ filter: /./, namespace: 'undici-unused' }, () => ({ contents: 'module.exports = undefined' }))
    setup.onLoad({ filter: /./, namespace: 'undici' }, () => ({
      resolveDir: import.meta.dirname,
      contents: `module.exports = { Client: require(${file('dispatcher/client.js')}), buildConnector: require(${file('core/connect.js')}) }`,
    }))
  },
}

/** Our own log is written by the process itself: of pino, what writes it on another thread is left out. */
const pinoHere: Plugin = {
  name: 'pino-here',
  setup(setup) {
    setup.onResolve({ filter: /^\.\/(lib\/)?transport$/ }, ({ path, resolveDir }) =>
      /node_modules\/pino\/lib\/transport$/.test(join(resolveDir, path))
        ? { path, namespace: 'pino-unused' }
        : undefined,
    )
    setup.onLoad({ filter: /./, namespace: 'pino-unused' }, () => ({ contents: 'module.exports = undefined' }))
  },
}

/** The tree of all keys, taken from the schema here and not at each start. */
const knownKeys: Plugin = {
  name: 'known-keys',
  setup(setup) {
    setup.onLoad({ filter: /src\/config\/known\.ts$/ }, async ({ path }) => {
      const { knownKeys } = await import('./src/config/known.ts')
      return {
        resolveDir: dirname(path),
        loader: 'ts',
        contents: `import { unpack } from './keys.ts'
export const knownKeys = () => unpack(JSON.parse(${JSON.stringify(JSON.stringify(pack(knownKeys())))}))`,
      }
    })
  },
}

/** What reads manifests, and what reads other shippers' configurations, are bundles of their own, loaded when asked for. */
const MANIFESTS = 'logshipper-manifests.cjs'
const CONVERT = 'logshipper-convert.cjs'
const apart: Plugin = {
  name: 'apart',
  setup(setup) {
    setup.onResolve({ filter: /\/cli\/(manifests|convert)\.ts$/ }, ({ path, kind }) => {
      const file = path.endsWith('manifests.ts') ? MANIFESTS : CONVERT
      return kind === 'dynamic-import' ? { path: `./${file}`, external: true } : undefined
    })
  },
}

/** What is started loads the program from beside itself. */
const programApart: Plugin = {
  name: 'program-apart',
  setup(setup) {
    setup.onResolve({ filter: /^\.\/start\/source\.ts$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'start/built.ts'),
    }))
  },
}

async function bundle(entry: string, name: string, plugins: Plugin[]): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: [entry],
    outfile: `dist/${name}`,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    minify: true,
    metafile: true,
    // The notices are whole, and in a file of their own.
    legalComments: 'none',
    // How undici is told to leave its second, experimental parser out: Node itself is built so.
    define: { esbuildDetection: 'true', 'import.meta.dirname': '__dirname', __REVISION__: JSON.stringify(revision()) },
    plugins: [undiciClient, pinoHere, knownKeys, ...plugins],
  })
  return metafile
}

/** Of the repository; where there is none, `REVISION`, as a build of the image says it. */
function revision(): string {
  if (!existsSync(join(import.meta.dirname, '.git'))) return process.env['REVISION'] || 'unknown'
  const { stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' })
  return /^[0-9a-f]{40,64}$/.exec(stdout?.trim() ?? '')?.[0] ?? 'unknown'
}

await buildKernel()
const program = await bundle('src/main.ts', PROGRAM, [apart])
const start = await bundle('src/start.ts', 'logshipper.cjs', [programApart])
chmodSync('dist/logshipper.cjs', 0o755)
const manifests = await bundle('src/cli/manifests.ts', MANIFESTS, [])
const convert = await bundle('src/cli/convert.ts', CONVERT, [])
// What is in which file: for a test, and for whoever asks where the bytes come from.
writeFileSync(
  'dist/inputs.json',
  `${JSON.stringify({ start: sizes(start), program: sizes(program), manifests: sizes(manifests), convert: sizes(convert) }, null, 1)}\n`,
)
// It is compiled as Latin-1, which takes half of the memory.
if (/[^\0-\x7f]/.test(readFileSync(`dist/${PROGRAM}`, 'latin1'))) throw new Error(`dist/${PROGRAM} is not ASCII`)
// Of a build before, or by another Node.
for (const file of globSync('dist/*.cache')) rmSync(file)
execFileSync(process.execPath, ['cache.ts', 'dist'], { cwd: import.meta.dirname, stdio: 'inherit' })
const inputs = { ...program.inputs, ...manifests.inputs, ...convert.inputs }
const packages = bundled(import.meta.dirname, { inputs })
writeFileSync('dist/THIRD_PARTY_NOTICES.txt', notices(packages))
// For the bill of materials: docker/sbom.ts.
writeFileSync('dist/bundled.json', `${JSON.stringify(packages, ['name', 'version', 'license'], 1)}\n`)

/** Bytes of the output by the file that they come from. */
function sizes({ outputs }: Metafile): Record<string, number> {
  const [output] = Object.values(outputs)
  return Object.fromEntries(Object.entries(output!.inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput]))
}
