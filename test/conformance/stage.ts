/** A backend as a configuration makes it, with a delivery and real sockets, before a scripted server of its kind. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Answer, Backend, BackendContext, BatchInfo, Verdict } from '../../src/backends/backend.ts'
import { BACKENDS, type BackendType } from '../../src/backends/registry.ts'
import type { BackendConfig } from '../../src/config/config.ts'
import { formatProblem, loadConfig } from '../../src/config/load.ts'
import type { DeliveryOptions } from '../../src/delivery/options.ts'
import type { Metadata } from '../../src/metadata.ts'
import { Arena, type FileLines, origin, type Rig, rig, transportTo } from '../delivery/rig.ts'
import { scratch } from '../scratch.ts'
import { ScriptedServer } from './server.ts'
import type { Subject } from './subject.ts'

export const METADATA: Metadata = {
  namespace: 'shop',
  pod: 'web-1',
  podUid: '7f3e2d1c-0000-4000-8000-000000000001',
  node: 'node-1',
  serviceAccount: 'web',
  container: 'web',
  podLabels: {},
  podAnnotations: {},
}

export const ORIGIN = origin('/var/log/app/a.log', { team: 'checkout' })

type Directory = Pick<Test, 'testdir' | 'teardown'>

/** The subject's entry, loaded as from a file. */
export async function configured(t: Directory, subject: Subject, origin: string): Promise<BackendConfig> {
  const file = join(scratch(t, {}), 'config.json')
  writeFileSync(
    file,
    JSON.stringify({ sources: [{ paths: ['/a.log'], ...subject.source }], backends: [subject.config(origin)] }),
  )
  const loaded = await loadConfig({ file, env: {}, cwd: '/' })
  if (loaded.kind === 'ok') return loaded.config.backends[0]!
  throw new Error(loaded.problems.map(formatProblem).join('\n'))
}

export function created({ type, own }: BackendConfig): Backend {
  const create = BACKENDS[type as BackendType].create as (own: unknown, context: BackendContext) => Backend
  return create(own, { name: 'main', metadata: () => METADATA })
}

/** What an answer means to a request of four records. */
export function judgeOf(backend: Backend): (answer: Answer) => Verdict {
  const judge: (answer: Answer, batch: BatchInfo) => Verdict = backend.judge.bind(backend)
  return answer => judge(answer, { id: 'a1b2c3d4e5f60718-000000000000-4-0011223344556677', records: 4 })
}

export interface Staged extends Rig {
  readonly server: ScriptedServer
  readonly backend: Backend
  /** Sends lines of one file and waits until all have settled. */
  ship(run: FileLines): Promise<void>
}

/** Milliseconds. A machine that is busy with other tests must not let a request run out of time that is well. */
const LONG = { connect: 30_000, headers: 30_000, body: 30_000 }
/** Where running out of time is what happens. */
export const SHORT = { ...LONG, headers: 2000, body: 2000 }

/** Milliseconds between two questions about receipts, where a real delivery waits for seconds. */
const ASK_EVERY = 5

interface Conditions {
  readonly arena?: Arena
  readonly timeout?: typeof LONG
}

export async function stage(
  t: Directory,
  subject: Subject,
  { arena = new Arena(), timeout = LONG }: Conditions = {},
): Promise<Staged> {
  const server = await ScriptedServer.start(t, subject)
  const config = await configured(t, subject, server.origin)
  const made = created(config)
  const { confirmation } = made
  const backend = confirmation ? { ...made, confirmation: { ...confirmation, every: ASK_EVERY } } : made
  const { batch, compression, auth } = config.delivery
  const transport = transportTo(config.endpoint!, { auth, timeout } as Partial<DeliveryOptions>)
  const laid = rig(config.endpoint!, {}, { batch, compression }, { backend, transport }, arena)
  t.teardown(() => {
    laid.delivery.stop()
    return transport.close()
  })
  const ship = async (run: FileLines): Promise<void> => {
    const slab = arena.slab({ origin: ORIGIN, ...run })
    await laid.delivery.ship(slab)
    arena.budget.release(slab.extent)
  }
  return { ...laid, server, backend, ship }
}
