/**
 * A backend as a configuration makes it, over real sockets to a receiver that answers as a subject's server does.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Answer, Backend } from '../../src/backends/backend.ts'
import { BACKENDS, type BackendType } from '../../src/backends/registry.ts'
import type { BackendConfig } from '../../src/config/config.ts'
import { formatProblem, loadConfig } from '../../src/config/load.ts'
import type { Metadata } from '../../src/metadata.ts'
import type { Decoded, Subject } from '../conformance/subject.ts'
import {
  Arena,
  type FileLines,
  type Listener,
  type Received,
  Receiver,
  type Rig,
  rig,
  transportTo,
} from '../delivery/rig.ts'
import { scratch } from '../scratch.ts'

export const METADATA: Metadata = {
  namespace: 'shop',
  pod: 'web-1',
  podUid: '7f3e',
  node: 'n1',
  container: 'web',
  podLabels: { 'app.kubernetes.io/name': 'web' },
  podAnnotations: {},
}

/** One backend's entry, loaded as from a file. */
export async function configured(t: Test, entry: object): Promise<BackendConfig> {
  const file = join(scratch(t, {}), 'c.json')
  writeFileSync(file, JSON.stringify({ sources: [{ paths: ['/a.log'] }], backends: [entry] }))
  const loaded = await loadConfig({ file, env: {}, cwd: '/' })
  if (loaded.kind === 'ok') return loaded.config.backends[0]!
  throw new Error(loaded.problems.map(formatProblem).join('\n'))
}

export function created({ type, own }: BackendConfig, metadata: Metadata = METADATA): Backend {
  const create = BACKENDS[type as BackendType].create as (own: unknown, context: unknown) => Backend
  return create(own, { name: 'main', metadata: () => metadata })
}

export interface Laid extends Rig {
  readonly receiver: Receiver
  readonly backend: Backend
  /** What was said to be stored, as the subject decodes it, in order. */
  readonly decoded: () => Decoded[]
}

/** `answer`: what the server says to its n-th request, from 1; by default that all is well. */
export async function lay(
  t: Test,
  subject: Subject,
  own: object = {},
  answer: (request: Received, count: number) => Answer | undefined = () => undefined,
): Promise<Laid> {
  const stored: Decoded[] = []
  const receiver = new Receiver((request, response, count) => {
    const wire = { ...request, body: Buffer.from(request.body) }
    const records = subject.decode(wire)
    const other = answer(request, count)
    if (other === undefined) stored.push(...records)
    const { status, headers, body } = other ?? subject.success(records.length, wire)
    response.writeHead(status, headers).end(body)
  })
  const { origin } = await receiver.listen()
  t.teardown(() => receiver.close())
  const config = await configured(t, { ...subject.config(origin), ...own })
  const backend = created(config)
  const { delivery } = config
  const transport = transportTo(config.endpoint!, { auth: delivery.auth })
  const laid = rig(new URL(origin), {}, { batch: delivery.batch }, { backend, transport }, new Arena(16 << 20))
  return { ...laid, receiver, backend, decoded: () => stored }
}

/** Ships lines of one file and waits until all have settled. */
export async function ship({ arena, delivery }: Laid, ...files: FileLines[]): Promise<void> {
  await delivery.ship(arena.slab(...files))
}

export const said = ({ listener }: { readonly listener: Listener }): string =>
  listener.said.map(({ sentence, fields }) => `${sentence} ${JSON.stringify(fields)}`).join('\n')

/** Lines that break what is careless, none of them blank, each as it must arrive. */
export const HOSTILE: readonly (readonly [line: string | Buffer, message: string])[] = [
  ['plain', 'plain'],
  ['"quoted" and \\back\\slashed\\', '"quoted" and \\back\\slashed\\'],
  ['{"create":{"_id":"x"}}', '{"create":{"_id":"x"}}'],
  ['\u0001\u001f\t\b tab', '\u0001\u001f\t\b tab'],
  ['line\u2028separator\u2029', 'line\u2028separator\u2029'],
  ['ü€😀', 'ü€😀'],
  ['with CR\r', 'with CR'],
  [Buffer.from([0x61, 0xff, 0x62]), 'a\ufffdb'],
  ['<script>&amp;</script> %7B ${x} {{y}}', '<script>&amp;</script> %7B ${x} {{y}}'],
]
