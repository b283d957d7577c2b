/** What holds for every text, however it is redacted: it keeps its length, is UTF-8, and is not changed again. */
import fc from 'fast-check'
import type { Piece, Rig } from './rig.ts'

const EDGES: Piece[] = [{}, { cutFrom: 999 }, { partial: true }]

export function keepsTheLaw(rig: Rig, lines: fc.Arbitrary<string>, numRuns: number): void {
  fc.assert(
    fc.property(lines, fc.constantFrom(...EDGES), (line, edge) => {
      const bytes = Buffer.from(line)
      const [once] = rig.records([bytes], edge)
      const [twice] = rig.records([once!], edge)
      new TextDecoder('utf-8', { fatal: true }).decode(once)
      if (once!.length !== bytes.length) throw new Error('another length')
      if (!once!.equals(twice!)) throw new Error(`changed again: ${once} became ${twice}`)
    }),
    { numRuns },
  )
}
