/** What fails while logs are rotated: nothing, the backend, or the program itself. */
import { refuse } from '../program.ts'
import type { Fault } from './matrix.ts'

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

const plural = (rotations: number) => (rotations === 1 ? 'one rotation' : `${rotations} rotations`)

/** The program ends, and is started again when the rotations are over. */
const down = (signal: 'SIGTERM' | 'SIGKILL', rotations: number): Fault => ({
  name: `the program is down after a ${signal} during ${plural(rotations)}`,
  rotations,
  sees: false,
  kills: signal === 'SIGKILL',
  async begin(rig) {
    if (signal === 'SIGKILL') {
      // What it was killed with in its memory: lines that were acknowledged after the last checkpoint.
      await rig.saved()
      await rig.write(20)
      await rig.arrived()
    }
    await rig.program.kill(signal)
  },
  end: rig => rig.start(),
})

/** The backend fails, a file of each log is rotated meanwhile, and then the program ends too. */
const downInOutage = (signal: 'SIGTERM' | 'SIGKILL', rotations: number): Fault => ({
  name: `the backend answers 503, then the program is down after a ${signal} during ${plural(rotations)}`,
  rotations,
  sees: false,
  kills: signal === 'SIGKILL',
  async begin(rig, lines) {
    rig.receiver.behaviour = refuse(503)
    await rig.write(lines)
    await rig.seen()
    await rig.rotate()
    await rig.write(lines)
    await rig.seen()
    await rig.saved()
    await rig.program.kill(signal)
  },
  async end(rig) {
    rig.receiver.behaviour = undefined
    await rig.start()
  },
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

export const faults = { peace, outage, down, downInOutage, still }
