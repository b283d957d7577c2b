/** What fails while logs are rotated: nothing, the backend, or the program itself. */
import { refuse } from '../program.ts'
import type { Fault } from './rig.ts'

const peace: Fault = {
  name: 'the backend is up',
  rotations: 2,
  sees: true,
  async begin() {},
  async end() {},
}

/** The backend answers 503 meanwhile. */
const outage = (rotations: number): Fault => ({
  name: `the backend answers 503 during ${rotations} rotations`,
  rotations,
  sees: true,
  async begin(rig) {
    rig.receiver.behaviour = refuse(503)
  },
  async end(rig) {
    rig.receiver.behaviour = undefined
  },
})

const plural = (rotations: number) => (rotations === 1 ? 'a rotation' : `${rotations} rotations`)

/** The program ends, and is started again when the rotations are over. */
const down = (signal: 'SIGTERM' | 'SIGKILL', rotations: number): Fault => ({
  name: `the program is down after a ${signal} during ${plural(rotations)}`,
  rotations,
  sees: false,
  kills: signal === 'SIGKILL',
  async begin(rig) {
    await rig.program.kill(signal)
  },
  end: rig => rig.start(),
})

/** The program is stopped by the scheduler meanwhile, as a throttled container is. */
const still = (rotations: number): Fault => ({
  name: `the program stands still during ${plural(rotations)}`,
  rotations,
  sees: false,
  async begin(rig) {
    rig.program.child.kill('SIGSTOP')
  },
  async end(rig) {
    rig.program.child.kill('SIGCONT')
  },
})

export const faults = { peace, outage, down, still }
