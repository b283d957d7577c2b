/**
 * What a run of the tests went without: the reasons of its skipped tests, each with how many tests that was, in which
 * files, and how to get what was missing.
 */
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Missing {
  readonly reason: string
  /** How to get it; undefined where nothing can be installed or set. */
  readonly remedy: string | undefined
  readonly tests: number
  readonly files: readonly string[]
}

/** Where a program comes from on Debian, if its package has another name. */
const PACKAGES: Readonly<Record<string, string>> = {
  'clickhouse-server': 'clickhouse-server',
  man: 'man-db',
  multilog: 'daemontools',
  nginx: 'nginx-light',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  rotatelogs: 'apache2-utils',
  savelog: 'debianutils',
  script: 'bsdutils',
  shred: 'coreutils',
  ss: 'iproute2',
  svlogd: 'runit',
  zstd: 'zstd',
}

const SERVERS = 'docker compose -f test/real/compose.yaml up -d, then set the variable as that file says'
const ROOT = 'run the tests as root, in a container or a virtual machine of their own'

/** The first that a reason matches. */
const REMEDIES: readonly (readonly [RegExp, (match: RegExpExecArray) => string | undefined])[] = [
  [/LOGSHIPPER_REAL_\w+/, () => SERVERS],
  [/KUBE_APISERVER_BIN|ETCD_BIN|KUBELET_BIN|CONTAINERD_BIN/, () => 'set the variables as k8s/README.md says'],
  [/helm/, () => 'install Helm 3 or 4 (https://helm.sh/docs/intro/install), or HELM_BIN="$(.ci/helm DIRECTORY)"'],
  [/kubectl/, () => 'install kubectl: https://kubernetes.io/docs/tasks/tools/'],
  [/\b(?:does not start on|root may read|another Node|needs Linux|not Linux)/, () => undefined],
  [/(?:mount|tmpfs|namespace|only root|may not trace|file system)/, () => ROOT],
  [/\b(?:IPv6|::1|loopback)/, () => 'a machine with that address'],
  [/image/, () => 'npm run image'],
  [/^(?:there is )?no ([\w-]+)(?: with openssl)? on this machine/, ([, program]) => install([program!])],
  [/([\w., -]+?) (?:is|are) not installed/, ([, programs]) => install(programs!.replace(/^.*: /, '').split(', '))],
]

function install(programs: readonly string[]): string {
  const packages = programs.map(program => PACKAGES[program.trim()] ?? program.trim())
  return `apt-get install ${[...new Set(packages)].join(' ')}`
}

export function remedyOf(reason: string): string | undefined {
  for (const [pattern, remedy] of REMEDIES) {
    const match = pattern.exec(reason)
    if (match) return remedy(match)
  }
  return undefined
}

/**
 * From what tap keeps: `directory` holds a file for each test, by its path. `since`: milliseconds since the epoch, for
 * the files of tests that did not run this time stay there.
 */
export function missingIn(directory: string, since = 0): Missing[] {
  const found = new Map<string, { tests: number; files: Set<string> }>()
  for (const file of globSync('**/*.tap', { cwd: directory }).sort()) {
    if (statSync(join(directory, file)).mtimeMs < since) continue
    for (const [, reason] of readFileSync(join(directory, file), 'utf8').matchAll(
      /^ *(?:ok \d+.*|1\.\.0) # SKIP ?(.*)$/gim,
    )) {
      const key = reason!.trim() || 'no reason given'
      const entry = found.get(key) ?? { tests: 0, files: new Set() }
      entry.tests++
      entry.files.add(file.replace(/\.tap$/, ''))
      found.set(key, entry)
    }
  }
  return [...found].map(([reason, { tests, files }]) => ({
    reason,
    remedy: remedyOf(reason),
    tests,
    files: [...files],
  }))
}

/** As lines that are comments in TAP too; none if nothing was missing. */
export function lines(missing: readonly Missing[]): string[] {
  if (missing.length === 0) return []
  const tests = missing.reduce((sum, each) => sum + each.tests, 0)
  return [
    `# not tested on this machine: ${tests} ${tests === 1 ? 'test' : 'tests'}`,
    ...missing.map(({ reason, remedy, files, tests }) => {
      const where = files.length > 2 ? `${files[0]} and ${files.length - 1} others` : files.join(', ')
      return `#   ${reason} (${tests}: ${where})${remedy === undefined ? '' : `\n#     ${remedy}`}`
    }),
  ]
}
