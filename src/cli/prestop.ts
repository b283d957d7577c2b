/**
 * `logshipper prestop`: the preStop hook as a command of the container. It tells the running shipper over loopback that
 * the pod's termination has begun; only the pod's own containers can reach it.
 */
import { ask, DEFAULT_ADMIN } from './ask.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'

/** Resolves to the exit code. The kubelet shows what a hook that fails has said. */
export async function prestop(
  { admin = DEFAULT_ADMIN, json }: { admin?: string | undefined; json: boolean },
  { out, err }: Streams,
): Promise<number> {
  const asked = await ask(admin, '/prestop', 'POST')
  const answer = asked.kind === 'ok' ? { told: true } : { told: false, why: asked.why }
  if (json) out.write(`${JSON.stringify(answer)}\n`)
  if (asked.kind === 'ok') return EXIT.ok
  err.write(`logshipper: ${asked.why}\n`)
  return EXIT.unexpected
}
