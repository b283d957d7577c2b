/**
 * What arrived at one backend, each record as a stretch of an incarnation: found by the serial numbers in its text and
 * by its id, which names the generation, the offset, and of records of several lines the length.
 */
import { type Arrival, type Receiver, show } from '../receiver.ts'
import { Covered } from './covered.ts'
import { expectedOf } from './expected.ts'
import type { Incarnation, Model } from './model.ts'

export interface Part {
  readonly arrival: Arrival
  readonly generation: string
  readonly incarnation: Incarnation
  /** Offsets: of its first byte, and behind its line end, if it has one. */
  readonly from: number
  readonly to: number
  /** For how many records of its file it stands, and where the first of them begins. */
  readonly alike: number
  readonly runFrom: number
  /** How much of it had not arrived before in this generation; and where the first of that lies. */
  readonly fresh: number
  readonly firstFresh: number
}

interface Place {
  readonly arrival: Arrival
  readonly source: string
  readonly generation: string
  readonly from: number
  /** Of the file, without a line end; undefined: the id does not say it. */
  readonly bytes: number | undefined
}

export class Reception {
  readonly receiver: Receiver
  readonly parts: Part[] = []
  readonly complaints: string[] = []
  /** What arrived of each generation. */
  readonly covered = new Map<string, Covered>()
  /** What arrived of each incarnation, by whichever name of it. */
  readonly of = new Map<Incarnation, Covered>()
  readonly generations = new Map<string, Incarnation>()
  readonly #model: Model
  #seen = 0
  /** Arrivals whose text does not say where they were written. */
  #unplaced: Place[] = []

  constructor(receiver: Receiver, model: Model) {
    this.receiver = receiver
    this.#model = model
  }

  /** Takes what came since the last time. */
  look(): void {
    const { arrivals } = this.receiver
    while (this.#seen < arrivals.length) this.#take(placeOf(arrivals[this.#seen++]!))
    const again = this.#unplaced
    this.#unplaced = []
    for (const place of again) this.#take(place)
  }

  /** What arrived of an incarnation. */
  coveredOf(incarnation: Incarnation): Covered {
    let covered = this.of.get(incarnation)
    if (covered === undefined) this.of.set(incarnation, (covered = new Covered()))
    return covered
  }

  /** Arrivals that say nothing of where they were written are looked for everywhere. */
  finish(): void {
    this.look()
    for (const place of this.#unplaced) {
      const home = this.#model.incarnations.find(incarnation => this.#fits(place, incarnation))
      if (home === undefined) this.#complain(place)
      else {
        this.generations.set(place.generation, home)
        this.#take(place)
      }
    }
    this.#unplaced = []
  }

  #take(place: Place): void {
    const { arrival, generation } = place
    const bound = this.generations.get(generation)
    if (bound !== undefined) {
      if (this.#fits(place, bound)) this.#add(place, bound)
      else this.#complain(place)
      return
    }
    const serials = [...arrival.text.matchAll(/r(\d+)l\d/g)].map(([, serial]) => Number(serial))
    const homes = serials.flatMap(serial => this.#model.bySerial.get(serial) ?? [])
    const home = homes.find(({ incarnation }) => this.#fits(place, incarnation))
    if (home !== undefined) {
      this.generations.set(generation, home.incarnation)
      this.#add(place, home.incarnation)
    } else if (serials.length === 0) this.#unplaced.push(place)
    else this.#complain(place)
  }

  #fits({ arrival, source, from, bytes }: Place, incarnation: Incarnation): boolean {
    if (incarnation.source.name !== source || from > incarnation.size) return false
    const to = bytes === undefined ? this.#behind(arrival, from, incarnation) : from + bytes
    return to <= incarnation.size && expectedOf(incarnation, from, to, arrival) === undefined
  }

  /** Where the line ends that arrived; its line end not included. */
  #behind({ partial, originalBytes, text }: Arrival, from: number, incarnation: Incarnation): number {
    if (originalBytes !== undefined) return from + originalBytes
    if (partial) return from + Buffer.byteLength(text)
    const end = incarnation.lineEnd(from)
    return incarnation.content[end - 1] === 10 ? end - 1 : end
  }

  #add({ arrival, generation, from, bytes }: Place, incarnation: Incarnation): void {
    const end = bytes === undefined ? this.#behind(arrival, from, incarnation) : from + bytes
    const to = arrival.partial ? end : end + 1
    let covered = this.covered.get(generation)
    if (covered === undefined) this.covered.set(generation, (covered = new Covered()))
    const { bytes: fresh, first: firstFresh } = covered.add(from, to)
    const alike = arrival.record?.repeated ?? 1
    let runFrom = from
    for (let n = 1; n < alike && runFrom > 0; n++) runFrom = incarnation.lineStart(runFrom - 1)
    this.coveredOf(incarnation).add(runFrom, to)
    this.parts.push({ arrival, generation, incarnation, from, to, alike, runFrom, fresh, firstFresh })
  }

  #complain({ arrival, generation, source, from, bytes }: Place): void {
    const home = this.generations.get(generation)
    let why = 'its serial numbers are of no record'
    if (home !== undefined) {
      const to = bytes === undefined ? this.#behind(arrival, from, home) : from + bytes
      why = home.source.name === source ? (expectedOf(home, from, to, arrival) ?? 'it does not fit') : 'another source'
    }
    this.complaints.push(`torn, mixed or invented: ${show(arrival.text)} (${source}, id ${arrival.id}): ${why}`)
  }
}

function placeOf(arrival: Arrival): Place {
  const source = arrival.record?.source ?? ''
  const [, generation, from, bytes] = /^(.*?)-([0-9a-f]{12})(?:-([0-9a-f]{8}))?$/.exec(arrival.id) ?? [
    '',
    '',
    '',
    undefined,
  ]
  return {
    arrival,
    source,
    generation: generation!,
    from: Number.parseInt(from!, 16),
    bytes: bytes === undefined ? undefined : Number.parseInt(bytes, 16),
  }
}
