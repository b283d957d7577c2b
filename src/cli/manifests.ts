/**
 * The commands that read Kubernetes manifests. Nothing of them is needed beside a running pod, so the build makes a
 * bundle of their own of what begins here (`build.ts`), and the program loads it from beside itself when it is asked.
 */
import type { Command } from './args.ts'
import { doctor } from './doctor.ts'
import { inject } from './inject.ts'
import type { Streams } from './output.ts'

export type OnManifests = Extract<Command, { kind: 'doctor' | 'inject' }>

/** Resolves to the exit code. */
export function onManifests(command: OnManifests, streams: Streams): Promise<number> {
  switch (command.kind) {
    case 'doctor':
      return doctor(command, streams)
    case 'inject':
      return inject(command, streams)
  }
}
