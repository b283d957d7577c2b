/** A delivery whose backend answers with verdicts, as the test says them of the lines of each request. */
import type { Test } from 'tap'
import type { Answer, Backend, Verdict } from '../../../src/backends/backend.ts'
import type { RejectedRecord } from '../../../src/delivery/outcome/settlement.ts'
import { answer, type FileLines, httpBackend, messages, Receiver, type Rig, rig } from '../rig.ts'

/** What is said of the lines of a request. */
export type Says = (lines: readonly string[], request: number) => Verdict

export interface Answered extends Rig {
  readonly receiver: Receiver
  /** Lines that were rejected. */
  readonly rejected: string[]
  says: Says
  /** Sends a slab. `free`: its memory is given back, so that what is not settled is aside. `settled`: false if abandoned. */
  ship(...files: FileLines[]): { readonly free: Promise<void>; readonly settled: Promise<boolean> }
}

export const DELIVERED: Verdict = { kind: 'delivered' }
export const REFUSED: Verdict = { kind: 'bisect', reason: 'http_400' }

export async function answered(t: Pick<Test, 'teardown'>, says: Says): Promise<Answered> {
  const rejected: string[] = []
  const receiver = new Receiver((request, response, count) => {
    const verdict = laid.says(messages([request]), count)
    answer(200, {}, JSON.stringify(verdict))(request, response, count)
  })
  const url = await receiver.listen()
  const backend: Backend = { ...httpBackend(url), judge: ({ body }: Answer) => JSON.parse(body) as Verdict }
  const onRejected = ({ frame }: RejectedRecord) => void rejected.push(frame.toString())
  const made = rig(url, {}, {}, { backend, onRejected, random: Math.random })
  t.teardown(() => {
    made.delivery.stop()
    return receiver.close()
  })
  const ship = (...files: FileLines[]) => {
    const slab = made.arena.slab(...files)
    const free = Promise.withResolvers<void>()
    const onFree = () => {
      made.arena.budget.release(slab.extent)
      free.resolve()
    }
    const settled = made.delivery.ship(slab, { onFree }).then(({ kind }) => kind === 'settled')
    return { free: free.promise, settled }
  }
  const laid: Answered = { ...made, receiver, rejected, says, ship }
  return laid
}
