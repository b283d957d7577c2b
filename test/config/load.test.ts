/** From files, variables and words on a command line to a configuration, or to everything that is wrong with it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import picomatch from 'picomatch'
import t, { type Test } from 'tap'
import type { Config } from '../../src/config/config.ts'
import { formatProblem, type LoadRequest, loadConfig, type Problem } from '../../src/config/load.ts'
import { scratch } from '../scratch.ts'

const ROOT = process.getuid?.() === 0 ? 'root may read every file' : false
const SOURCE = 'sources: [{paths: [/var/log/app/*.log]}]\n'

type Given = Partial<LoadRequest> & { yaml?: string | Buffer }

/** Loads `yaml` as a file named on the command line; without it, nothing but what else is given. */
async function load(t: Test, { yaml, ...request }: Given) {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'c.yaml')
  if (yaml !== undefined) writeFileSync(file, yaml)
  const named = yaml === undefined ? {} : { file: 'c.yaml' }
  return loadConfig({ env: {}, cwd: directory, defaultFile: join(directory, 'none.yaml'), ...named, ...request })
}

async function valid(t: Test, given: Given): Promise<Config> {
  const loaded = await load(t, given)
  if (loaded.kind === 'ok') return loaded.config
  t.fail(loaded.problems.map(formatProblem).join('\n'))
  throw new Error('invalid')
}

async function problems(t: Test, given: Given): Promise<readonly Problem[]> {
  const loaded = await load(t, given)
  t.equal(loaded.kind, 'invalid')
  return loaded.kind === 'invalid' ? loaded.problems : []
}

const plain = (value: object = {}) => {
  const { plans: _, ...written } = value as { plans?: unknown }
  return JSON.parse(JSON.stringify(written))
}

t.test('three variables are a whole configuration', async t => {
  const config = await valid(t, {
    env: {
      LOGSHIPPER_SOURCE_PATHS: '/var/log/app/*.log, /var/log/{a,b}.log',
      LOGSHIPPER_BACKEND_TYPE: 'http',
      LOGSHIPPER_BACKEND_ENDPOINT: 'http://collector:8080/ingest?a=b',
    },
  })
  t.same(plain(config), {
    sources: [
      {
        name: 'app',
        paths: ['/var/log/app/*.log', '/var/log/{a,b}.log'],
        exclude: [],
        labels: {},
        maxLineBytes: 1048576,
        encoding: 'utf-8',
        lineEnd: 'lf',
        followSymlinks: [],
      },
    ],
    backends: [
      {
        name: 'http',
        type: 'http',
        sources: ['app'],
        endpoint: 'http://collector:8080/ingest?a=b',
        own: plain(config.backends[0]?.own),
        delivery: {
          compression: 'gzip',
          batch: { maxBytes: 1048576, maxRecords: 10_000, interval: 180 },
          concurrency: 1,
          retry: { initial: 500, max: 30_000 },
          timeout: { connect: 10_000, headers: 30_000, body: 30_000 },
          headers: {},
        },
        routes: {},
      },
    ],
    state: {
      dir: '/var/lib/logshipper',
      permissions: 'strict',
      unpacked: { maxBytes: 1024 ** 3 },
      held: { maxBytes: 1024 ** 3, policy: 'hold' },
    },
    volume: {},
    memory: { budget: 8388608 },
    drain: { gracePeriod: 30_000 },
    server: { port: 9614, admin: { host: '127.0.0.1', port: 9615 }, tap: true },
    log: { level: 'info' },
    pod: {
      labelsFile: '/etc/podinfo/labels',
      annotationsFile: '/etc/podinfo/annotations',
      labels: [],
      annotations: [],
    },
  })
  t.equal(config.backends[0]?.own['endpoint'], 'http://collector:8080/ingest?a=b')
})

t.test('bare paths behave like tail -F: standard output, no positions saved, no ports taken', async t => {
  const config = await valid(t, { paths: ['a.log', '/b/*.log'], cwd: '/opt' })
  t.same(config.sources[0]?.paths, ['/opt/a.log', '/b/*.log'])
  t.match(config.backends, [{ name: 'stdout', type: 'stdout', endpoint: undefined, delivery: { compression: 'none' } }])
  t.equal(config.state.dir, null)
  t.same(config.server, { port: null, admin: null, tap: true })

  const asked = await valid(t, {
    paths: ['a.log'],
    env: { LOGSHIPPER_SERVER_PORT: '0', LOGSHIPPER_LOG_LEVEL: 'debug' },
  })
  t.same(asked.server, { port: 0, admin: null, tap: true }, 'a listener that is asked for is there')
  t.equal(asked.state.dir, null)

  const deployed = await valid(t, { paths: ['/a.log'], env: { LOGSHIPPER_BACKEND_BATCH_INTERVAL: '2s' } })
  t.equal(deployed.state.dir, '/var/lib/logshipper', 'a backend that was configured is no tail -F')
})

t.test('a name that exists is that file, not a glob', async t => {
  const directory = scratch(t, {})
  const names = ['a[1].log', 'a*.log', 'a{b,c}?.log', 'a (1).log', 'a\\b|c!.log', '!(a).log']
  for (const name of names) writeFileSync(join(directory, name), '')
  const loaded = await loadConfig({
    env: {},
    cwd: directory,
    paths: [...names, 'b[1].log'],
    defaultFile: '/nonexistent/c',
  })
  if (loaded.kind !== 'ok') return t.fail('invalid')
  const paths = loaded.config.sources[0]!.paths
  for (const [index, name] of names.entries()) {
    const matched = [...names, 'a1.log', 'ab.log', 'abx.log', 'a 1.log'].filter(each =>
      picomatch(paths[index]!, { dot: true })(join(directory, each)),
    )
    t.same(matched, [name])
  }
  t.equal(paths.at(-1), join(directory, 'b[1].log'), 'what is not there may be a glob')
})

t.test('the environment wins over the file, the command line over both', async t => {
  const yaml = `
sources:
  - { name: one, paths: [/file.log], labels: { team: file }, maxLineBytes: 2KiB }
  - { paths: [/two.log] }
backends:
  - { type: http, endpoint: "http://file/", auth: { bearer: { file: /token } }, batch: { interval: 3s, maxRecords: 5 } }
server: { admin: off }
`
  const env = {
    LOGSHIPPER_SOURCE_PATHS: '/env.log',
    LOGSHIPPER_SOURCE_LABELS: 'team=env,note=a=b\\,c',
    LOGSHIPPER_BACKEND_AUTH_BEARER_ENV: 'TOKEN',
    LOGSHIPPER_BACKEND_BATCH_MAX_RECORDS: '7',
    LOGSHIPPER_BACKEND_CONCURRENCY: '',
    LOGSHIPPER_POD_NAME: 'web-1',
    LOGSHIPPER_POD_NODE: 'n1',
    TOKEN: 'x',
  }
  const config = await valid(t, { yaml, env })
  t.match(config.sources, [
    { name: 'one', paths: ['/env.log'], labels: { team: 'env', note: 'a=b,c' }, maxLineBytes: 2048 },
    { name: 'source-2', paths: ['/two.log'] },
  ])
  t.same(config.backends[0]?.delivery.auth, { bearer: { env: 'TOKEN' } })
  t.match(config.backends[0]?.delivery, { concurrency: 1, batch: { interval: 3000, maxRecords: 7 } })
  t.same(config.backends[0]?.sources, ['one', 'source-2'])
  t.same(config.server, { port: 9614, admin: null, tap: true })
  t.match(config.pod, { name: 'web-1', node: 'n1', uid: undefined })

  const loaded = await load(t, { yaml, env, paths: ['/cli.log'] })
  t.match(loaded, { kind: 'ok', config: { sources: [{ name: 'app', paths: ['/cli.log'], labels: { team: 'env' } }] } })
  t.match(loaded.kind === 'ok' && loaded.warnings, [/sources of c\.yaml are ignored/])
})

t.test('JSON is read too, and a byte order mark, anchors and keys without a value do no harm', async t => {
  const json = '{\n\t"sources": [\n\t\t{"paths": ["/a.log"], "labels": null}\n\t],\n\t"state": {"dir": null}\n}'
  t.match(await valid(t, { yaml: `\ufeff${json}` }), {
    sources: [{ paths: ['/a.log'], labels: {} }],
    state: { dir: null },
  })
  const yaml = 'sources:\n  - &a {paths: [/a.log]}\n  - {<<: *a, name: b}\nbackends:\nmemory:\n  # budget: 1MiB\n'
  t.match(await valid(t, { yaml }), { sources: [{ paths: ['/a.log'] }, { name: 'b', paths: ['/a.log'] }] })
})

t.test('texts are put together after parsing, and become what the key wants', async t => {
  const directory = scratch(t, { team: 'check: "out"\n', limit: '2KiB\r\n' })
  const yaml = `
sources:
  - paths: "\${PATHS}"
    maxLineBytes: \${file:${directory}/limit}
    labels:
      team: \${file:${directory}/team}
      evil: \${EVIL}
      plain: $\${HOME} costs 5$
      empty: x\${EMPTY}y
      fallback: \${EMPTY:-dflt}-\${NONE:-}
backends:
  - { type: http, endpoint: "\${URL:?no collector}", tls: { insecureSkipVerify: "\${SKIP}" }, concurrency: "\${N:-4}" }
`
  const env = { PATHS: '/a.log,/b.log', EVIL: '"}, x: ${HOME}\n- y', EMPTY: '', URL: 'https://c/', SKIP: 'true' }
  const loaded = await load(t, { yaml, env })
  t.ok(loaded.kind === 'ok', loaded.kind === 'invalid' ? loaded.problems.map(formatProblem).join('\n') : '')
  if (loaded.kind !== 'ok') return
  t.match(loaded.config.sources[0], { paths: ['/a.log', '/b.log'], maxLineBytes: 2048 })
  t.same(loaded.config.sources[0]?.labels, {
    team: 'check: "out"',
    evil: env.EVIL,
    plain: '${HOME} costs 5$',
    empty: 'xy',
    fallback: 'dflt-',
  })
  t.match(loaded.config.backends[0]?.delivery, { concurrency: 4, tls: { insecureSkipVerify: true } })
  t.match(loaded.files, [/c\.yaml$/, `${directory}/limit`, `${directory}/team`], 'all files that had a say')
  t.match(loaded.warnings, [/accepts any certificate/])
})

t.test('a variable that is not set does no harm where the environment says otherwise', async t => {
  const yaml = `${SOURCE}backends: [{type: http, endpoint: "\${NOPE}"}]`
  const config = await valid(t, { yaml, env: { LOGSHIPPER_BACKEND_ENDPOINT: 'http://x/' } })
  t.equal(config.backends[0]?.endpoint?.href, 'http://x/')
})

/** One mistake, and the whole of the problem it must lead to. `find` picks one of several. */
interface Mistake {
  says: string
  yaml?: string | Buffer
  env?: Record<string, string>
  paths?: string[]
  problem: { file?: string; line?: number; key: string; found: RegExp; allowed: RegExp; hint?: RegExp }
}

const http = (rest: string) => `${SOURCE}backends:\n  - type: http\n    endpoint: http://x/\n    ${rest}\n`

const MISTAKES: Mistake[] = [
  {
    says: 'an empty file',
    yaml: '',
    problem: {
      key: 'sources',
      found: /^an empty file$/,
      allowed: /at least one source/,
      hint: /command line.*LOGSHIPPER_SOURCE_PATHS.*c\.yaml/,
    },
  },
  {
    says: 'nothing at all',
    problem: {
      file: 'environment',
      key: 'sources',
      found: /nothing to follow/,
      allowed: /one source/,
      hint: /LOGSHIPPER_SOURCE_PATHS/,
    },
  },
  {
    says: 'a list at the top',
    yaml: '- a\n- b',
    problem: { line: 1, key: '', found: /a list at the top/, allowed: /a map/ },
  },
  {
    says: 'a page of HTML',
    yaml: '<html>\n<body>',
    problem: { line: 1, key: '', found: /single value|without/, allowed: /map|YAML/ },
  },
  { says: 'a tab', yaml: 'state:\n\tdir: /a', problem: { line: 2, key: '', found: /a tab/, allowed: /spaces/ } },
  { says: 'a key twice', yaml: `${SOURCE}sources: []`, problem: { line: 2, key: '', found: /twice/, allowed: /once/ } },
  {
    says: 'two documents',
    yaml: `${SOURCE}---\na: 1`,
    problem: { line: 2, key: '', found: /second document/, allowed: /one document/ },
  },
  {
    says: 'an open quote',
    yaml: 'log: {level: "info}',
    problem: { line: 1, key: '', found: /a quote that is not closed/, allowed: /quote/ },
  },
  { says: 'a tag', yaml: 'a: !!js/function x', problem: { line: 1, key: '', found: /tag/, allowed: /without tags/ } },
  {
    says: 'an alias without anchor',
    yaml: 'a: *b',
    problem: { line: 1, key: '', found: /without its anchor/, allowed: /anchor/ },
  },
  {
    says: 'a bomb of aliases',
    yaml: 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]',
    problem: { key: '', found: /multiply/, allowed: /at most 100/ },
  },
  {
    says: 'an alias to what holds it',
    yaml: 'a: &a [*a]',
    problem: { key: '', found: /too deeply/, allowed: /32 levels/ },
  },
  {
    says: 'an abyss',
    yaml: '['.repeat(100_000),
    problem: { line: 1, key: '', found: /too deeply/, allowed: /32 levels/ },
  },
  {
    says: 'a file too large',
    yaml: Buffer.alloc(10 * 1024 ** 2, 'a: b\n'),
    problem: { key: '', found: /^10MiB$/, allowed: /at most 1MiB/ },
  },
  {
    says: 'bytes that are no text',
    yaml: Buffer.from([0x61, 0xff, 0xfe, 0x80]),
    problem: { key: '', found: /not UTF-8/, allowed: /UTF-8/ },
  },
  {
    says: 'UTF-16',
    yaml: Buffer.from('\ufeffa: b', 'utf16le'),
    problem: { key: '', found: /UTF-16/, allowed: /UTF-8/ },
  },
  {
    says: 'an unknown key at the top',
    yaml: `${SOURCE}backend: []`,
    problem: {
      line: 2,
      key: 'backend',
      found: /unknown key "backend"/,
      allowed: /sources, backends/,
      hint: /did you mean backends\?/,
    },
  },
  {
    says: 'an unknown key deep inside',
    yaml: http('batch: { maxByte: 1MiB }'),
    problem: {
      line: 5,
      key: 'backends[0].batch.maxByte',
      found: /"maxByte"/,
      allowed: /maxBytes, maxRecords/,
      hint: /maxBytes\?/,
    },
  },
  {
    says: '__proto__ as a key',
    yaml: `${SOURCE}__proto__: { a: 1 }`,
    problem: { line: 2, key: '__proto__', found: /unknown key/, allowed: /sources/ },
  },
  {
    says: 'an unknown type',
    yaml: `${SOURCE}backends:\n  - type: htpp`,
    problem: { line: 3, key: 'backends[0].type', found: /"htpp"/, allowed: /stdout \| http/, hint: /http\?/ },
  },
  {
    says: 'a key that no type has',
    yaml: http('compresion: gzip'),
    problem: {
      line: 5,
      key: 'backends[0].compresion',
      found: /"compresion"/,
      allowed: /compression/,
      hint: /^did you mean compression\?$/,
    },
  },
  {
    says: 'a key of another type',
    yaml: http('index: logs'),
    problem: {
      line: 5,
      key: 'backends[0].index',
      found: /"index"/,
      allowed: /endpoint/,
      hint: /^type http has no index; types elasticsearch, splunk_hec do$/,
    },
  },
  {
    says: 'a type that is no text',
    yaml: `${SOURCE}backends:\n  - type: 5`,
    problem: { line: 3, key: 'backends[0].type', found: /^5$/, allowed: /stdout \| http/ },
  },
  {
    says: 'a forgotten type',
    yaml: `${SOURCE}backends:\n  - endpoint: http://x/`,
    problem: {
      line: 3,
      key: 'backends[0].endpoint',
      found: /unknown key "endpoint"/,
      allowed: /name, /,
      hint: /types? http\b/,
    },
  },
  {
    says: 'a forgotten endpoint',
    yaml: `${SOURCE}backends:\n  - type: http`,
    problem: { line: 3, key: 'backends[0].endpoint', found: /nothing/, allowed: /a text/ },
  },
  {
    says: 'a forgotten endpoint, all by environment',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOGSHIPPER_BACKEND_TYPE: 'http' },
    problem: { file: 'environment', key: 'LOGSHIPPER_BACKEND_ENDPOINT', found: /nothing/, allowed: /a text/ },
  },
  {
    says: 'an endpoint that is none',
    yaml: `${SOURCE}backends: [{type: http, endpoint: "ftp://x"}]`,
    problem: { line: 2, key: 'backends[0].endpoint', found: /ftp/, allowed: /http:\/\/ or https/ },
  },
  {
    says: 'credentials in the endpoint',
    yaml: `${SOURCE}backends: [{type: http, endpoint: "http://u:geheim@x/"}]`,
    problem: { line: 2, key: 'backends[0].endpoint', found: /hidden/, allowed: /auth/ },
  },
  {
    says: 'an impossible size',
    yaml: http('batch: { maxBytes: 1XB }'),
    problem: { line: 5, key: 'backends[0].batch.maxBytes', found: /"1XB"/, allowed: /from 64KiB to 64MiB/ },
  },
  {
    says: 'a number that could be seconds or milliseconds',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOGSHIPPER_DRAIN_GRACE_PERIOD: '30' },
    problem: {
      file: 'environment',
      key: 'LOGSHIPPER_DRAIN_GRACE_PERIOD',
      found: /30/,
      allowed: /duration/,
      hint: /30s for seconds/,
    },
  },
  {
    says: 'a number out of range',
    yaml: http('concurrency: 99'),
    problem: { line: 5, key: 'backends[0].concurrency', found: /^99$/, allowed: /from 1 to 32/ },
  },
  {
    says: 'a truth value of YAML 1.1',
    yaml: http('tls: { insecureSkipVerify: yes }'),
    problem: {
      line: 5,
      key: 'backends[0].tls.insecureSkipVerify',
      found: /"yes"/,
      allowed: /true or false/,
      hint: /YAML 1\.2/,
    },
  },
  {
    says: 'a word that is misspelt in a list, where a word may stand alone too',
    yaml: 'sources:\n  - paths: [/a.log]\n    redact: [secrts, email]\n',
    problem: { line: 3, key: 'sources[0].redact[0]', found: /"secrts"/, allowed: /secrets \| pii/, hint: /secrets/ },
  },
  {
    says: 'an expression of redact that looks around',
    yaml: "sources:\n  - paths: [/a.log]\n    redact:\n      match:\n        order: 'order=(?=x)'\n",
    problem: { line: 5, key: 'sources[0].redact.match.order', found: /column 7/, allowed: /RE2/, hint: /./ },
  },
  {
    says: 'an expression of redact under the name of a rule',
    yaml: "sources:\n  - paths: [/a.log]\n    redact: { match: { email: 'a@b' } }\n",
    problem: { line: 3, key: 'sources[0].redact.match.email', found: /email/, allowed: /other than those of rules/ },
  },
  {
    says: 'a text in the place of a list',
    yaml: 'sources:\n  - paths: /a.log',
    problem: { line: 2, key: 'sources[0].paths', found: /"\/a\.log"/, allowed: /a list/, hint: /as a list/ },
  },
  {
    says: 'a number in the place of a text',
    yaml: 'sources:\n  - paths: [/a]\n    labels:\n      version: 1.0',
    problem: { line: 4, key: 'sources[0].labels.version', found: /^1$/, allowed: /a text/, hint: /quotes/ },
  },
  {
    says: 'a number in quotes',
    yaml: `${SOURCE}server: {port: "9614"}`,
    problem: { line: 2, key: 'server.port', found: /"9614"/, allowed: /0 to 65535/, hint: /^write it without quotes$/ },
  },
  {
    says: 'a truth value in quotes',
    yaml: http('ids: "true"'),
    problem: {
      line: 5,
      key: 'backends[0].ids',
      found: /"true"/,
      allowed: /true or false/,
      hint: /^write it without quotes$/,
    },
  },
  {
    says: 'a relative path',
    yaml: 'sources:\n  - paths:\n      - /a\n      - b/*.log',
    problem: { line: 4, key: 'sources[0].paths[1]', found: /"b\/\*\.log"/, allowed: /absolute/ },
  },
  {
    says: 'a relative path by environment',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a,b' },
    problem: { file: 'environment', key: 'LOGSHIPPER_SOURCE_PATHS', found: /"b"/, allowed: /absolute/ },
  },
  {
    says: 'labels that are no pairs',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOGSHIPPER_SOURCE_LABELS: 'checkout' },
    problem: {
      file: 'environment',
      key: 'LOGSHIPPER_SOURCE_LABELS',
      found: /a text/,
      allowed: /a map/,
      hint: /name=value/,
    },
  },
  {
    says: 'an unknown variable',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOGSHIPPER_BACKENDS_TYPE: 'http' },
    problem: {
      file: 'environment',
      key: 'LOGSHIPPER_BACKENDS_TYPE',
      found: /unknown variable/,
      allowed: /LOGSHIPPER_/,
      hint: /LOGSHIPPER_BACKEND_TYPE\?/,
    },
  },
  {
    says: 'a variable that is misspelt',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOGSHIPPER_BACKEND_COMPRESION: 'gzip' },
    problem: {
      file: 'environment',
      key: 'LOGSHIPPER_BACKEND_COMPRESION',
      found: /unknown variable/,
      allowed: /LOGSHIPPER_/,
      hint: /^did you mean LOGSHIPPER_BACKEND_COMPRESSION\?$/,
    },
  },
  {
    says: 'a variable whose prefix is misspelt',
    env: { LOGSHIPPER_SOURCE_PATHS: '/a', LOG_SHIPPER_BACKEND_TYPE: 'http' },
    problem: {
      file: 'environment',
      key: 'LOG_SHIPPER_BACKEND_TYPE',
      found: /unknown variable/,
      allowed: /LOGSHIPPER_/,
      hint: /^did you mean LOGSHIPPER_BACKEND_TYPE\?$/,
    },
  },
  {
    says: 'two variables for one secret',
    env: {
      LOGSHIPPER_SOURCE_PATHS: '/a',
      LOGSHIPPER_BACKEND_AUTH_BEARER: 'geheim',
      LOGSHIPPER_BACKEND_AUTH_BEARER_FILE: '/t',
    },
    problem: {
      file: 'environment',
      key: 'LOGSHIPPER_BACKEND_AUTH_BEARER_FILE',
      found: /AUTH_BEARER as well/,
      allowed: /one of the two/,
    },
  },
  {
    says: 'a bad name',
    yaml: 'sources:\n  - name: a b\n    paths: [/a]',
    problem: { line: 2, key: 'sources[0].name', found: /"a b"/, allowed: /1 to 63/ },
  },
  {
    says: 'the same name twice',
    yaml: 'sources:\n  - {name: a, paths: [/a]}\n  - {name: a, paths: [/b]}',
    problem: { line: 3, key: 'sources[1].name', found: /"a", the name of sources\[0\]/, allowed: /a unique name/ },
  },
  {
    says: 'two backends without a name',
    yaml: `${SOURCE}backends:\n  - type: stdout\n  - type: stdout`,
    problem: {
      line: 4,
      key: 'backends[1].name',
      found: /"stdout"/,
      allowed: /a unique name/,
      hint: /the default name of a backend is its type/,
    },
  },
  {
    says: 'an unknown source',
    yaml: 'sources:\n  - {name: access, paths: [/a]}\nbackends:\n  - sources: [acess]',
    problem: { line: 4, key: 'backends[0].sources[0]', found: /"acess"/, allowed: /access/, hint: /access\?/ },
  },
  {
    says: 'no backend in the list',
    yaml: `${SOURCE}backends: []`,
    problem: { line: 2, key: 'backends', found: /empty list/, allowed: /at least one/ },
  },
  {
    says: 'two kinds of credentials',
    yaml: http('auth: { bearer: geheim, apiKey: { header: x, value: geheim } }'),
    problem: { line: 5, key: 'backends[0].auth', found: /hidden/, allowed: /exactly one of basic, bearer, apiKey/ },
  },
  {
    says: 'a secret of the wrong kind',
    yaml: http('auth: { bearer: 12345678 }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.bearer',
      found: /^\(hidden\)$/,
      allowed: /\{file: \/path\} or \{env: NAME\}/,
    },
  },
  {
    says: 'a secret where a map belongs',
    yaml: http('auth: geheim'),
    problem: { line: 5, key: 'backends[0].auth', found: /^a text$/, allowed: /a map/ },
  },
  {
    says: 'a header that is no text',
    yaml: http('headers: { x-key: 12345678 }'),
    problem: {
      line: 5,
      key: 'backends[0].headers.x-key',
      found: /^\(hidden\)$/,
      allowed: /a text/,
      hint: /^put it in quotes$/,
    },
  },
  {
    says: 'a header that belongs to the connection',
    yaml: http('headers: { Transfer-Encoding: geheim }'),
    problem: { line: 5, key: 'backends[0].headers.Transfer-Encoding', found: /the name/, allowed: /not set by us/ },
  },
  {
    says: 'a header twice',
    yaml: http('headers: { X-Key: geheim, x-key: geheim }'),
    problem: { line: 5, key: 'backends[0].headers', found: /hidden/, allowed: /each header once/ },
  },
  {
    says: 'a header that the credentials set',
    yaml: http('auth: { bearer: geheim }\n    headers: { Authorization: geheim }'),
    problem: { line: 6, key: 'backends[0].headers.Authorization', found: /auth sets too/, allowed: /one of the two/ },
  },
  {
    says: 'a header from a variable that is not set',
    yaml: http('headers: { x-key: { env: PW } }'),
    problem: { line: 5, key: 'backends[0].headers.x-key.env', found: /PW, a variable/, allowed: /is set/ },
  },
  {
    says: 'a token address with credentials',
    yaml: http('auth: { oauth2: { tokenUrl: "https://a:geheim@b/", clientId: a, clientSecret: b } }'),
    problem: { line: 5, key: 'backends[0].auth.oauth2.tokenUrl', found: /hidden/, allowed: /without credentials/ },
  },
  {
    says: 'a region that is none',
    yaml: http('auth: { aws: { region: frankfurt, service: es } }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.aws.region',
      found: /frankfurt/,
      allowed: /a region such as eu-central-1/,
    },
  },
  {
    says: 'no region anywhere',
    yaml: http('auth: { aws: { service: es } }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.aws.region',
      found: /neither the endpoint nor AWS_REGION/,
      allowed: /a region/,
    },
  },
  {
    says: 'no service anywhere',
    yaml: http('auth: { aws: { region: eu-central-1 } }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.aws.service',
      found: /endpoint does not name one/,
      allowed: /such as es or aoss/,
    },
  },
  {
    says: 'a key of AWS without its secret',
    yaml: http('auth: { aws: { region: eu-central-1, service: es, accessKeyId: geheim } }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.aws',
      found: /hidden/,
      allowed: /accessKeyId and secretAccessKey together/,
    },
  },
  {
    says: 'a client without a secret',
    yaml: http('auth: { oauth2: { tokenUrl: "https://b/", clientId: a } }'),
    problem: { line: 5, key: 'backends[0].auth.oauth2.clientSecret', found: /nothing/, allowed: /a text, \{file/ },
  },
  {
    says: 'a proxy that is a bare word',
    yaml: http('proxy: of'),
    problem: { line: 5, key: 'backends[0].proxy', found: /"of"/, allowed: /off, or a map with the url/ },
  },
  {
    says: 'a proxy of another kind',
    yaml: http('proxy: { url: "socks5://p:1080" }'),
    problem: { line: 5, key: 'backends[0].proxy.url', found: /socks5/, allowed: /http:\/\/ or https/ },
  },
  {
    says: 'a proxy’s password in its address',
    yaml: http('proxy: { url: "http://u:geheim@p:1080" }'),
    problem: { line: 5, key: 'backends[0].proxy.url', found: /hidden/, allowed: /give them under auth/ },
  },
  {
    says: 'a proxy of another kind in the environment',
    yaml: http('concurrency: 1'),
    env: { HTTP_PROXY: 'socks5://u:geheim@p:1080' },
    problem: {
      line: 3,
      key: 'backends[0].proxy',
      found: /^HTTP_PROXY in/,
      allowed: /http:\/\/proxy/,
      hint: /proxy: off/,
    },
  },
  {
    says: 'a proxy for what is no server',
    yaml: `${SOURCE}backends: [{type: stdout, proxy: off}]`,
    problem: { line: 2, key: 'backends[0].proxy', found: /unknown key/, allowed: /name/, hint: /types? http.* do/ },
  },
  {
    says: 'a secret in a variable that is not set',
    yaml: http('auth: { basic: { username: u, password: { env: PW } } }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.basic.password.env',
      found: /PW, a variable that is not set/,
      allowed: /is set/,
    },
  },
  {
    says: 'a certificate without its key',
    yaml: http('tls: { cert: /c.pem }'),
    problem: { line: 5, key: 'backends[0].tls', found: /no key/, allowed: /together/ },
  },
  {
    says: 'waits that shrink',
    yaml: http('retry: { initial: 1m, max: 1s }'),
    problem: { line: 5, key: 'backends[0].retry.initial', found: /more than/, allowed: /at most retry\.max/ },
  },
  {
    says: 'an interval without a unit',
    yaml: http('batch: { interval: 200 }'),
    problem: { line: 5, key: 'backends[0].batch.interval', found: /200/, allowed: /unit|s|ms/ },
  },
  {
    says: 'too little memory',
    yaml: `${http('')}memory:\n  budget: 1MiB`,
    problem: {
      line: 7,
      key: 'memory.budget',
      found: /1MiB for 1 backend$/,
      allowed: /^at least 3MiB: backend http needs 2176KiB$/,
      hint: /raise memory\.budget, or lower maxLineBytes \(1MiB\)/,
    },
  },
  {
    says: 'too little memory for the largest batches',
    yaml: `${http('batch: {maxBytes: 64MiB}')}memory:\n  budget: 40MiB`,
    problem: {
      line: 7,
      key: 'memory.budget',
      found: /40MiB for 1 backend$/,
      allowed: /^at least 66MiB/,
      hint: /or batch\.maxBytes \(64MiB\)/,
    },
  },
  {
    says: 'more backends than any budget is enough for',
    yaml: JSON.stringify({
      sources: [{ paths: ['/a'], maxLineBytes: '8MiB' }],
      backends: Array.from({ length: 32 }, (_, n) => ({
        ...{ type: 'http', endpoint: 'http://a', name: `b${n}`, batch: { maxBytes: '64MiB' } },
      })),
    }),
    problem: {
      key: 'memory.budget',
      found: /2GiB for 32 backends$/,
      allowed: /at least \d+MiB.*, more than the 2GiB that there may be$/,
      hint: /^lower maxLineBytes \(8MiB\) or batch.maxBytes \(64MiB\), or have fewer backends$/,
    },
  },
  {
    says: 'a port that is none',
    yaml: `${SOURCE}server: {port: 70000}`,
    problem: { line: 2, key: 'server.port', found: /70000/, allowed: /0 to 65535.*off/ },
  },
  {
    says: 'an address that is none',
    yaml: `${SOURCE}server: {admin: "9615"}`,
    problem: { line: 2, key: 'server.admin', found: /9615/, allowed: /host:port.*off/ },
  },
  {
    says: 'a level that is none',
    yaml: `${SOURCE}log: {level: warning}`,
    problem: { line: 2, key: 'log.level', found: /"warning"/, allowed: /debug \| info \| warn \| error/ },
  },
  {
    says: 'a variable that is not set',
    yaml: 'sources:\n  - paths:\n      - /a/${NOPE}/b',
    problem: {
      line: 3,
      key: 'sources[0].paths[0]',
      found: /\$\{NOPE\}, a variable that is not set/,
      allowed: /\$\{NOPE:-default\}/,
    },
  },
  {
    says: 'a variable that must be set',
    yaml: http('headers: { a: "${NOPE:?ask the platform team}" }'),
    problem: {
      line: 5,
      key: 'backends[0].headers.a',
      found: /NOPE/,
      allowed: /is set/,
      hint: /^ask the platform team$/,
    },
  },
  {
    says: 'a ${ that is not closed',
    yaml: 'sources:\n  - paths: ["/a/${X"]',
    problem: { line: 2, key: 'sources[0].paths[0]', found: /never closed/, allowed: /\$\{VAR\}.*\$\$\{/ },
  },
  {
    says: 'a file to put in that is not there',
    yaml: http('auth: { bearer: "${file:/nonexistent/token}" }'),
    problem: {
      line: 5,
      key: 'backends[0].auth.bearer',
      found: /\/nonexistent\/token.*no such file/,
      allowed: /exists/,
    },
  },
  {
    says: 'a value from a variable that does not fit',
    yaml: 'sources:\n  - paths: [/a]\n    maxLineBytes: ${SIZE}',
    env: { SIZE: 'geheim' },
    problem: {
      line: 3,
      key: 'sources[0].maxLineBytes',
      found: /the value of \$\{SIZE\}, which is not shown/,
      allowed: /a size/,
    },
  },
]

for (const { says, yaml, env, paths, problem } of MISTAKES) {
  t.test(`${says} is a problem that says where, what and what else`, async t => {
    const given = { env: env ?? {}, ...(yaml === undefined ? {} : { yaml }), ...(paths ? { paths } : {}) }
    const found = await problems(t, given)
    const shown = found.map(formatProblem)
    t.ok(found.length >= 1 && found.length <= 5, shown.join('\n'))
    const one = found.find(each => each.key === problem.key) ?? found[0]
    t.equal(one?.file, problem.file ?? 'c.yaml')
    t.equal(one?.line, problem.line)
    t.equal(one?.key, problem.key)
    t.match(one?.found, problem.found)
    t.match(one?.allowed, problem.allowed)
    if (problem.hint) t.match(one?.hint, problem.hint)
    t.notMatch(shown.join('\n'), /geheim|12345678/, 'and no secret')
    for (const line of shown) t.notMatch(line, /\n/, 'in one line')
  })
}

t.test('all problems come at once, from top to bottom', async t => {
  const yaml = 'log: {level: loud}\nsources:\n  - paths: [a]\n    x: 1\nserver: {port: -1}\n'
  const found = await problems(t, { yaml, env: { LOGSHIPPER_X: '1', LOGSHIPPER_STATE_DIR: 'rel' } })
  t.same(
    found.map(each => each.line ?? each.key),
    [1, 3, 4, 5, 'LOGSHIPPER_X', 'LOGSHIPPER_STATE_DIR'],
  )
  t.equal(formatProblem(found[0]!), 'c.yaml:1: log.level: found "loud"; allowed: debug | info | warn | error')
})

t.test('what holds more than can be run is refused', async t => {
  const sources = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `s${n}`, paths: [`/${n}`] }))
  const backends = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `b${n}`, type: 'stdout' }))
  const of = (tree: object, env = {}) => problems(t, { yaml: JSON.stringify(tree), env })
  t.equal((await valid(t, { yaml: JSON.stringify({ sources: sources(500) }) })).sources.length, 500)
  t.match(await of({ sources: sources(501) }), [{ key: 'sources', found: 'a list', allowed: 'at most 500 sources' }])
  const many = { sources: sources(1), backends: backends(33), memory: { budget: '2GiB' } }
  t.match(await of(many), [{ key: 'backends', allowed: 'at most 32 backends' }])
  const paths = Array.from({ length: 1001 }, (_, n) => `/${n}`)
  t.match(await of({ sources: [{ paths, exclude: paths }] }), [
    { key: 'sources[0].paths', allowed: 'at most 1000 paths and globs' },
    { key: 'sources[0].exclude', allowed: 'at most 1000 paths and globs' },
  ])
  const long = { LOGSHIPPER_SOURCE_PATHS: '/a,'.repeat(20_000) }
  t.match(await of({}, long), [{ found: /too many keys and values after substitution/ }])
  const file = join(scratch(t, { large: 'x'.repeat(60_000) }), 'large')
  const labels = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`l${n}`, `\${file:${file}}`]))
  t.match(await of({ sources: [{ paths: ['/a'], labels }] }), [
    { key: 'sources[0].labels.l17', found: /more text than 1MiB/, allowed: /1MiB in all/ },
  ])
})

t.test('of thousands of problems the first are reported, and how many there are', async t => {
  const yaml = SOURCE + Array.from({ length: 3000 }, (_, n) => `key${n}: 1\n`).join('')
  const found = await problems(t, { yaml })
  t.equal(found.length, 201)
  t.match(found.at(199), { line: 201, key: 'key199' })
  t.match(found.at(200), { found: '2800 more problems' })
})

t.test('an editor’s pointer to the schema is no key of the configuration', async t => {
  const json = '{ "$schema": "./schema.json", "sources": [{ "paths": ["/a"] }] }'
  const loaded = await load(t, { yaml: json })
  t.equal(loaded.kind, 'ok')
  t.notOk(loaded.kind === 'ok' && loaded.explain().some(({ key }) => key.includes('schema')))
  const [wrong] = await problems(t, { yaml: `${SOURCE}$schema: [x]\nsorces: 1` })
  t.match(wrong, { key: '$schema', allowed: /^sources, backends, [^$]*$/ })
})

t.test('no problem hides another one', async t => {
  const yaml = `
sources:
  - { name: app, paths: [/a], exclude: [b] }
  - { name: app, paths: [/b], exlude: [/c] }
backends:
  - type: htpp
    name: a
    endpoint: ftp://x
    compresion: gzip
    batch: { maxByte: 1MiB }
    retry: { initial: 1m, max: 1s }
    sources: [ap]
  - { type: [http], name: b, endpont: x, concurrency: 99, table: t }
  - { type: http, name: c, endpiont: "http://x/", tls: { cert: /c } }
  - { type: http, name: a, endpoint: "http://x/", auth: { bearer: { file: t } } }
  - { type: stdout, name: d, auth: { bearer: x } }
`
  const keys = (found: readonly Problem[]) => found.map(({ key, found, hint }) => [key, found, hint])
  t.match(keys(await problems(t, { yaml })), [
    ['sources[0].exclude[0]', '"b"'],
    ['sources[1].exlude', /unknown key/, 'did you mean exclude?'],
    ['sources[1].name', /the name of sources\[0\] too/],
    ['backends[0].type', '"htpp"', 'did you mean http?'],
    ['backends[0].endpoint', '"ftp://x"'],
    ['backends[0].compresion', /unknown key/, 'did you mean compression?'],
    ['backends[0].batch.maxByte', /unknown key/, 'did you mean maxBytes?'],
    ['backends[0].retry.initial', 'more than retry.max'],
    ['backends[0].sources[0]', /unknown source "ap"/, 'did you mean app?'],
    ['backends[1].type', 'a list'],
    ['backends[1].concurrency', '99'],
    ['backends[1].endpont', /unknown key/, 'did you mean endpoint?'],
    ['backends[2].endpiont', /unknown key/, 'did you mean endpoint?'],
    ['backends[2].tls', 'no key'],
    ['backends[3].auth.bearer.file', '(hidden)'],
    ['backends[3].name', /"a", the name of backends\[0\] too/],
    ['backends[4].auth', /unknown key/, /types http, .* do$/],
  ])
})

t.test('what follows from a guess is not reported', async t => {
  const keys = async (yaml: string) => (await problems(t, { yaml })).map(({ key }) => key)
  t.same(await keys('sources: [{nmae: access, paths: [/a]}]\nbackends: [{sources: [access]}]'), ['sources[0].nmae'])
  t.same(await keys(`${SOURCE}backends: [{type: htt, batch: {maxBytes: 1XB}}, {type: stdout, name: http}]`), [
    'backends[0].type',
    'backends[0].endpoint',
    'backends[0].batch.maxBytes',
  ])
  t.same(await keys(http('tls: { cert: /c, kye: /k }')), ['backends[0].tls.kye'])
  t.same(await keys(http('auth: { bearer: "", basic: 5 }')), ['backends[0].auth.basic', 'backends[0].auth.bearer'])
  t.same(await keys(`${SOURCE}backends: [5, {type: none, table: t}]`), ['backends[0]', 'backends[1].type'])
  t.same(await keys('sources: 5\nlog: {level: x}'), ['sources', 'log.level'])
  t.same(await keys('sources: [a, {paths: [/a], name: b c}]\nmemory: {budget: 256KiB}'), [
    'sources[0]',
    'sources[1].name',
  ])
})

t.test('a file that was named must be there, be a file, and be readable', async t => {
  const directory = scratch(t, { directory: {} })
  const at = (file: string, env = {}) => loadConfig({ file, env, cwd: directory })
  t.match(await at('none.yaml'), {
    problems: [{ file: 'none.yaml', key: '', found: 'no such file' }],
    files: [join(directory, 'none.yaml')],
  })
  t.match(await at('directory'), { problems: [{ found: 'a directory', allowed: 'a regular file' }] })
  t.match(await at('/dev/null'), { problems: [{ found: 'a pipe or a device' }] })
  const byVariable = await loadConfig({ env: { LOGSHIPPER_CONFIG: '/nonexistent/c.yaml' }, cwd: directory })
  t.match(byVariable, { problems: [{ file: '/nonexistent/c.yaml', found: 'no such file', hint: /LOGSHIPPER_CONFIG/ }] })
})

t.test('a file that may not be read is told from one that is not there', { skip: ROOT }, async t => {
  const directory = scratch(t, { 'locked.yaml': SOURCE })
  chmodSync(join(directory, 'locked.yaml'), 0)
  const locked = await loadConfig({ file: 'locked.yaml', env: {}, cwd: directory })
  t.match(locked, { problems: [{ found: /permission/ }] })
})

t.test(
  'what is wrong with a source is not said once more of the backends that go by what is found in its records',
  async t => {
    const backend = '{ type: loki, endpoint: http://loki, labels: [source, level] }'
    const of = (match: string) =>
      `sources: [{ paths: [/a.log], level: auto, redact: { match: { order: '${match}' } } }]\nbackends: [${backend}]\n`
    await valid(t, { yaml: of('order=x') })
    const found = await problems(t, { yaml: of('order=(?=x)') })
    t.strictSame(
      found.map(({ key }) => key),
      ['sources[0].redact.match.order'],
    )
  },
)

t.test('the usual file is used if it is there, with bare paths too', async t => {
  const directory = scratch(t, { 'config.yaml': `${SOURCE}backends: [{type: http, endpoint: "http://x/"}]` })
  const usual = { env: {}, cwd: directory, defaultFile: join(directory, 'config.yaml') }
  t.match(await loadConfig(usual), { kind: 'ok', config: { backends: [{ type: 'http' }] } })
  const both = await loadConfig({ ...usual, paths: ['/b.log'] })
  t.match(both, {
    kind: 'ok',
    config: { sources: [{ paths: ['/b.log'] }], backends: [{ type: 'http' }], state: { dir: /^\// } },
  })
})

t.test('variables that Kubernetes sets for services of the same name are no configuration', async t => {
  const loaded = await load(t, {
    env: {
      LOGSHIPPER_SOURCE_PATHS: '/a',
      LOGSHIPPER_SERVICE_HOST: '10.0.0.1',
      LOGSHIPPER_SERVICE_PORT: '80',
      LOGSHIPPER_SERVICE_PORT_METRICS: '9614',
      LOGSHIPPER_PORT: 'tcp://10.0.0.1:80',
      LOGSHIPPER_PORT_80_TCP: 'tcp://10.0.0.1:80',
      LOGSHIPPER_PORT_80_TCP_PROTO: 'tcp',
      LOGSHIPPER_METRICS_SERVICE_HOST: '10.0.0.1',
      LOGSHIPPER_METRICS_PORT_80_TCP_ADDR: '10.0.0.1',
      LOGSHIPPER_SERVER_PORT: 'tcp://10.0.0.2:80',
    },
  })
  t.match(loaded, { kind: 'ok', config: { server: { port: 9614 } }, warnings: [/LOGSHIPPER_SERVER_PORT.*ignored/] })
})

t.test('a directory in a ConfigMap, with its symbolic links, is followed', async t => {
  const directory = scratch(t, {
    '..data': t.fixture('symlink', '..2025'),
    'config.yaml': t.fixture('symlink', '..data/config.yaml'),
  })
  mkdirSync(join(directory, '..2025'))
  writeFileSync(join(directory, '..2025', 'config.yaml'), SOURCE)
  const loaded = await loadConfig({ env: {}, cwd: directory, file: 'config.yaml' })
  t.match(loaded, { kind: 'ok', files: [join(directory, 'config.yaml')] })
})

t.test('credentials on an open line are warned of, except on our own machine', async t => {
  const warnings = async (host: string) => {
    const loaded = await load(t, {
      yaml: `${SOURCE}backends: [{type: http, endpoint: "http://${host}/", auth: {bearer: x}}]`,
    })
    return loaded.kind === 'ok' ? loaded.warnings : undefined
  }
  t.match(await warnings('collector'), [/unencrypted/])
  t.same(await warnings('127.0.0.1:80'), [])
  t.same(await warnings('[::1]:80'), [])
  const token = (url: string) =>
    `auth: { oauth2: { tokenUrl: "${url}", clientId: a, clientSecret: b } }, tls: { ca: /ca.pem }`
  const said = async (rest: string, host = '127.0.0.1') => {
    const loaded = await load(t, {
      yaml: `${SOURCE}backends: [{type: http, endpoint: "http://${host}/", ${rest}}]`,
    })
    return loaded.kind === 'ok' ? loaded.warnings : loaded
  }
  t.match(await said(token('http://id.test/')), [/has tls options/, /client secret unencrypted/])
  t.same(await said(token('https://id.test/')), [])
  t.same(await said('tls: { ca: /ca.pem }, proxy: { url: "https://proxy" }'), [])
  t.match(await said('headers: { x-key: { file: /key } }', 'collector'), [/unencrypted/])
  t.same(await said('headers: { x-team: checkout }', 'collector'), [])
})

t.test('without a budget there is enough for all that is configured, and no more', async t => {
  const budget = async (count: number, more: object = {}, source: object = {}) => {
    const backend = (_: unknown, n: number) => ({ name: `b${n}`, ...ANY, ...more })
    const backends = Array.from({ length: count }, backend)
    const yaml = JSON.stringify({ sources: [{ paths: ['/a.log'], ...source }], backends })
    return (await valid(t, { yaml })).memory.budget / 1024 ** 2
  }
  const ANY = { type: 'http', endpoint: 'http://127.0.0.1/' }
  t.equal(await budget(1), 8)
  t.equal(await budget(1, { format: 'text' }), 8)
  t.equal(await budget(2), 16)
  t.equal(await budget(2, { batch: { maxRecords: 1_000_000 } }), 18)
  t.equal(await budget(1, { batch: { maxBytes: '16MiB' } }), 45, 'two batches and a payload of that size')
  t.equal(await budget(1, { concurrency: 4 }), 12)
  t.equal(await budget(1, {}, { maxLineBytes: '8MiB' }), 57, 'a record with six bytes for each of the line')
  t.equal(await budget(1, { format: 'text' }, { maxLineBytes: '8MiB' }), 18)
  t.equal(await budget(1, { type: 'datadog', endpoint: undefined, batch: { maxBytes: '64MiB' } }), 14, 'what it takes')
})

t.test('what is asked for and cannot be is warned of', async t => {
  const warnings = async (backend: object, budget?: string) => {
    const memory = budget === undefined ? {} : { memory: { budget } }
    const yaml = JSON.stringify({ sources: [{ paths: ['/a.log'] }], backends: [backend], ...memory })
    const loaded = await load(t, { yaml })
    return loaded.kind === 'ok' ? loaded.warnings : loaded.problems
  }
  const http = { type: 'http', endpoint: 'http://127.0.0.1/' }
  t.same(await warnings(http), [])
  t.same(await warnings(http, '3MiB'), [])
  t.same(await warnings({ ...http, batch: { maxBytes: '4MiB' } }, '8MiB'), [
    'backend http: batches stay smaller than batch.maxBytes (4MiB): that takes a memory.budget of 9MiB',
  ])
  t.same(await warnings({ ...http, batch: { maxBytes: '4MiB' } }, '9MiB'), [])
  t.same(await warnings({ type: 'datadog', batch: { maxBytes: '5MiB', maxRecords: 2000 } }), [
    'backend datadog: batch.maxBytes is 5MiB, but datadog takes 5000000 bytes at most',
    'backend datadog: batch.maxRecords is 2000, but datadog takes 1000 at most',
  ])
})
