/** Filebeat: each input of files is a source, with its processors and those of all; the output is a backend. */
import type { Conversion, Input, Read } from '../conversion.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import { readYaml } from '../tree.ts'
import { undotted } from './dotted.ts'
import { fields, input } from './inputs.ts'
import { output } from './outputs.ts'
import { processor } from './processors.ts'

const NEEDLESS: Readonly<Record<string, string>> = {
  queue: 'what waits stays in its file',
  max_procs: 'the data path is one thread',
  http: 'probes and metrics are served on port 9614',
  monitoring: 'metrics are served on port 9614',
  xpack: 'metrics are served on port 9614',
  path: 'the state is kept in state.dir',
  seccomp: 'the pod’s securityContext says it',
  instrumentation: 'requests are not traced',
  features: 'names are those that are configured',
  keystore: 'secrets are files or variables',
  timestamp: 'times are as precise as they are written',
}

const SETUP = 'templates, policies and dashboards are not made: what is in the cluster is used'

export async function filebeat(given: Input, conversion: Conversion): Promise<Read> {
  const tree = await readYaml(given, conversion)
  if (tree.kind === 'unreadable') return tree
  const root = undotted(tree.root)
  const { draft } = conversion
  const beat = root.at('filebeat')
  for (const [key, why] of Object.entries(NEEDLESS)) root.needlessAll(why, key)
  beat?.needlessAll(
    'offsets are kept in state.dir; they begin anew, so files are read from their beginning once more',
    'registry',
    'registry_file',
    'registry_flush',
  )
  beat?.needlessAll('drain.gracePeriod is the pod’s terminationGracePeriodSeconds', 'shutdown_timeout')
  beat?.needlessAll('pipelines of the cluster are not made', 'overwrite_pipelines', 'idle_timeout', 'spool_size')
  beat?.loseAll(
    'containers are not looked for: a sidecar follows the files of its own pod, named under paths',
    'autodiscover',
  )
  beat?.loseAll('there are no modules: parse says what the lines of a source are', 'modules')
  configured(beat?.at('config'))
  logging(root.at('logging'), draft.rest)
  setup(root.at('setup'))
  root.loseAll('records name their pod', 'name')
  const inputs = [...(beat?.at('inputs')?.items() ?? []), ...(beat?.at('prospectors')?.items() ?? [])]
  for (const [index, each] of inputs.entries()) {
    const source = input(each, index)
    if (source === undefined) continue
    draft.sources.push(source)
    for (const step of each.at('processors')?.items() ?? []) processor(step, [source])
    each.loseAll('the index is that of the backend', 'index', 'pipeline')
  }
  fields(root, draft.sources)
  for (const each of root.at('processors')?.items() ?? []) processor(each, draft.sources)
  const outputs = root.at('output')
  for (const name of outputs?.names() ?? []) output(name, outputs!.at(name)!, root, draft.sources, conversion)
  root.leftovers()
  return { kind: 'read' }
}

/** Directories with further inputs. */
function configured(settings: Setting | undefined): undefined {
  for (const name of settings?.names() ?? []) {
    const each = settings!.at(name)!
    if (each.at('enabled')?.flag() === false) each.needless('it is not enabled')
    else
      each.lose(
        name === 'modules'
          ? 'there are no modules: parse says what the lines of a source are'
          : 'files with further inputs are not read: convert each of them',
      )
  }
}

function logging(settings: Setting | undefined, rest: Record<string, unknown>): undefined {
  const level = settings?.at('level')
  const written = level?.text()
  level?.context.references.example(written ?? '', 'info')
  if (written !== undefined) rest['log'] = { level: made(written === 'warning' ? 'warn' : written, level!) }
  const others = settings?.names().filter(name => name !== 'level') ?? []
  settings?.needlessAll('the log is JSON on standard error, and metrics are served on port 9614', ...others)
}

function setup(settings: Setting | undefined): undefined {
  for (const name of settings?.names() ?? []) {
    const each = settings!.at(name)!
    const off = each.at('enabled')?.flag() === false
    if (off || name === 'kibana' || each.content.kind === 'value') each.needless(SETUP)
    else each.lose(SETUP)
  }
}
