/** Every command in the documentation can be run: scripts, files, options, pages and variables are those that there are. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { parseArgs } from '../../src/cli/args.ts'
import { isCommand } from '../../src/cli/commands.ts'
import { loadConfig } from '../../src/config/load.ts'
import { EVENTS } from '../../src/events.ts'
import { NAMES } from '../../src/server/metrics.ts'
import { commandsOf, DOCUMENTS, document, ROOT, wordsOf } from './documents.ts'

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const served = ['probes', 'admin'].map(name => readFileSync(join(ROOT, `src/server/${name}.ts`), 'utf8')).join()
/** Programs of the system that examples call, with nothing to check here but the paths in their words. */
const SYSTEM = [
  ...[
    'apt-get',
    'aws',
    'az',
    'cat',
    'cosign',
    'cp',
    'docker',
    'echo',
    'export',
    'gcloud',
    'git',
    'grep',
    'kill',
    'kind',
  ],
  ...['minikube', 'ps', 'tail', 'time'],
]

/** Why a command cannot be run; `undefined`: it can. */
async function wrong(command: string): Promise<string | undefined> {
  const words = wordsOf(command)
  const env: Record<string, string> = {}
  for (let match: RegExpExecArray | null; (match = /^([A-Z_]+)=(.*)$/.exec(words[0] ?? '')); words.shift())
    env[match[1]!] = match[2]!
  if (Object.keys(env).some(name => /^LOGSHIPPER_(?!REAL_|UNDER_TEST)/.test(name))) {
    const loaded = await loadConfig({ env, cwd: '/', defaultFile: '/nonexistent' })
    if (loaded.kind !== 'ok') return JSON.stringify(loaded)
  }
  const [program, ...args] = words
  const own = (program === 'exec' ? args : args.slice(args.indexOf('--') + 1)) as readonly string[]
  switch (program) {
    case undefined:
      return Object.keys(env).length > 0 ? undefined : 'nothing'
    case 'npm':
      return npm(args)
    case 'npx':
      return existsSync(join(ROOT, 'node_modules/.bin', args[0]!)) ? missing(args) : `no program ${args[0]}`
    case 'node':
    case 'node_modules/.bin/node': {
      const file = args.find(each => !each.startsWith('-'))
      if (file === undefined) return 'no file'
      return existsSync(join(ROOT, file)) || file === 'dist/logshipper.cjs' ? missing(args) : `no file ${file}`
    }
    case 'logshipper':
      return parsed(args)
    case 'kubectl':
      if (args[0] === 'exec') return own[0] === 'logshipper' ? parsed(own.slice(1)) : 'not logshipper'
      if (args[0] === 'kustomize') return existsSync(join(ROOT, args[1]!)) ? undefined : `no overlay ${args[1]}`
      return ['apply', 'create', 'describe', 'get', 'logs', 'port-forward', 'rollout', 'top'].includes(args[0]!)
        ? undefined
        : `kubectl ${args[0]}`
    case 'helm':
      return chart(args)
    case 'curl': {
      const [, path] = /localhost:\d+(\/\w*)/.exec(command) ?? []
      return path !== undefined && served.includes(`case '${path}'`) ? undefined : `no page ${path}`
    }
    case 'jq': {
      const strange = [...command.matchAll(/\.event == "(\w+)"/g)].find(([, name]) => !(name! in EVENTS))
      return strange && `no event ${strange[1]}`
    }
    default:
      if (SYSTEM.includes(program)) return missing(args)
      if (program.includes('/')) return executable(program)
      return `an unknown program: ${program}`
  }
}

function npm([verb, ...rest]: readonly string[]): string | undefined {
  if (verb === 'ci' || verb === 'install') return undefined
  const name = verb === 'run' ? rest.find(each => each !== '-s') : verb
  return name !== undefined && scripts[name] ? missing(rest) : `no script ${name}`
}

/** What is rendered of a chart in k8s/charts is rendered by test/k8s/recipes.test.ts too, where there is a Helm. */
function chart(args: readonly string[]): string | undefined {
  const [verb, ...rest] = args
  if (!['dependency', 'install', 'upgrade', 'template', 'plugin'].includes(verb!)) return `helm ${verb}`
  const published = rest.find(each => each.startsWith('oci://'))
  if (published !== undefined && !/^oci:\/\/ghcr\.io\/OWNER\/charts\/[\w-]+$/.test(published)) return published
  return missing([...rest, ...(published === undefined ? [] : [`k8s/charts/${basename(published)}`])])
}

function parsed(args: readonly string[]): string | undefined {
  const result = parseArgs(args)
  return result.kind === 'wrong' ? JSON.stringify(result) : undefined
}

/** A path of the repository in the words that leads to nothing. */
function missing(args: readonly string[]): string | undefined {
  const path = args.find(
    each => /^(src|test|docs|docker|config|k8s)\/[\w./-]+$/.test(each) && !existsSync(join(ROOT, each)),
  )
  return path && `no ${path}`
}

function executable(path: string): string | undefined {
  try {
    accessSync(join(ROOT, path), constants.X_OK)
    return undefined
  } catch {
    return `no program ${path}`
  }
}

t.test('what is no command is told', async t => {
  for (const command of [
    'npm run nothing',
    'node test/none.test.ts',
    'logshipper inspect /x',
    'logshipper status --image x',
    'curl -s localhost:9614/nothing',
    'kubectl kustomize k8s/examples/none',
    'kubectl exec web-0 -c logshipper -- logshipper statsu',
    'LOGSHIPPER_BACKEND_TYPE=nothing npm start',
    'docker/nothing',
    'helm instal x k8s/charts/example',
    'helm template x k8s/charts/none',
    'helm install x oci://ghcr.io/OWNER/charts/none',
    'frobnicate',
    `jq 'select(.event == "backend_sleepy")'`,
  ])
    t.type(await wrong(command), 'string', command)
})

for (const { file, blocks } of DOCUMENTS) {
  const examples = blocks.filter(({ language }) => language === 'sh')
  if (examples.length === 0) continue
  t.test(`${file}: every command can be run`, async t => {
    for (const block of examples)
      for (const command of commandsOf(block)) t.equal(await wrong(command), undefined, `${block.at}: ${command}`)
  })
}

t.test('every command in the text is a script, a file or a command', async t => {
  let found = 0
  for (const { file, prose } of DOCUMENTS) {
    for (const [, command] of prose.matchAll(/`((?:npm|npx|node|logshipper) [^`]*)`/g)) {
      // In capitals stands what a reader puts there.
      if (/\b[A-Z]{4,}\b/.test(command!) && !/README/.test(command!)) continue
      found++
      // The name of a command alone.
      if (isCommand(/^logshipper (\w+)$/.exec(command!)?.[1])) continue
      for (const each of commandsOf({ text: command! })) t.equal(await wrong(each), undefined, `${file}: ${command}`)
    }
  }
  t.ok(found > 30)
})

t.test('what a runbook looks for among the metrics is there', t => {
  const lines = NAMES.flatMap(name => [name, `${name}_sum`, `${name}_count`])
  let seen = 0
  for (const { at, language, text } of document('docs/runbooks.md').blocks) {
    if (language !== 'sh' || !text.includes('/metrics')) continue
    for (const [program, ...args] of commandsOf({ text }).map(wordsOf)) {
      if (program !== 'grep') continue
      for (const alternative of args.at(-1)!.split(/\|(?![^(]*\))/)) {
        seen++
        t.ok(
          lines.some(line => new RegExp(alternative).test(line)),
          `${at}: ${alternative}`,
        )
      }
    }
  }
  t.ok(seen > 4)
  t.end()
})

t.test('every page of the two ports is shown once', t => {
  const { text } = document('docs/operations.md')
  const asked = [...text.matchAll(/curl -sN? localhost:\d+(\/\w*)/g)].map(match => match[1]!)
  t.equal(asked.length, 10)
  t.equal(new Set(asked).size, 10)
  t.end()
})
