/**
 * `logshipper prestop`: the preStop hook as a command of the container. It tells the running shipper over loopback that
 * the pod's termination has begun; only the pod's own containers can reach it.
 */
import { ask, DEFAULT_ADMIN } from './ask.ts'
import type { Streams } from './output.ts'

/** Resolves to the exit code. The kubelet shows what a hook that fails has said. */
export async function prestop(options: { admin?: string | undefined }, { err }: Streams): Promise<number> {
  const asked = await ask(options.admin ?? DEFAULT_ADMIN, '/prestop', 'POST')
  if (asked.kind === 'ok') return 0
  err.write(`logshipper: ${asked.why}\n`)
  return 1
}
