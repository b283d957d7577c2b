/** Ships a real file through the framer and the stage, by programs that follow each other. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Budget } from '../../../src/budget.ts'
import { layoutOf, Slab } from '../../../src/chunk.ts'
import { Kernel } from '../../../src/kernel/kernel.ts'
import { Account, DELIVERED } from '../../../src/ledger.ts'
import { tableBytes } from '../../../src/process/plan.ts'
import { Stage } from '../../../src/process/stage.ts'
import { inodeOf, NO_HEAD, NO_MARKER } from '../../../src/tail/files/fingerprint.ts'
import { formOf } from '../../../src/tail/framing/form.ts'
import { Framer, QUANTUM } from '../../../src/tail/framing/framer.ts'
import { Cursor, Generation } from '../../../src/tail/generation/generation.ts'
import { type Ending, Tailer } from '../../../src/tail/generation/tailer.ts'
import type { SourceOptions } from '../../../src/tail/options.ts'
import { scratch } from '../../scratch.ts'
import { source } from '../../tail/rig.ts'
import { planFor, type Say } from './rig.ts'

const dir = scratch(t)
let files = 0

type Lines = Partial<Pick<SourceOptions, 'maxLineBytes' | 'encoding' | 'lineEnd'>>

export class Shipping {
  readonly path = join(dir, `${files++}.log`)
  /** One for all runs: a file that is emptied is written to the disk as soon as it is closed. */
  readonly #fd = openSync(this.path, 'w+')
  readonly #options: SourceOptions
  readonly #kernel: Kernel
  readonly #budget: Budget
  readonly #stage: Stage
  readonly #framer: Framer

  constructor(say: Say, lines: Lines = {}) {
    t.teardown(() => closeSync(this.#fd))
    this.#options = source('/*', { maxLineBytes: 1024, ...lines })
    const plans = new Map([['app', planFor(say)]])
    this.#kernel = Kernel.create(1 << 20, tableBytes(plans))
    this.#budget = new Budget(this.#kernel.arena, this.#kernel.arenaBytes)
    this.#stage = new Stage(this.#kernel, plans)
    this.#framer = new Framer(this.#kernel, () => formOf(this.#options, this.#stage.readingOf('app')))
  }

  /**
   * The text of all that is sent of the file from `from` on, as it is now, with the offset behind it; at most `frames` in
   * a slab. As a program does it that was just started.
   */
  run(bytes: Buffer, from: number, ending: Ending = 'open', frames = 64): { text: string; to: number } {
    const fd = this.#fd
    writeSync(fd, bytes, 0, bytes.length, 0)
    ftruncateSync(fd, bytes.length)
    const cursor = new Cursor('main', new Account(), { offset: from, marker: NO_MARKER }, () => {})
    const stats = fstatSync(fd, { bigint: true })
    const origin = { source: 'app', path: this.path, generation: '0'.repeat(16), labels: {} }
    const tailer = new Tailer(fd, this.path, stats, new Generation(origin, inodeOf(stats), NO_HEAD, 0, [cursor]), 0)
    tailer.poll(0, ending !== 'open')
    let text = ''
    for (let framing = 'took'; framing === 'took' || framing === 'full' || framing === 'looked'; ) {
      const slab = Slab.take(this.#kernel.memory.buffer, this.#budget, layoutOf(frames, QUANTUM + 2048))!
      do framing = this.#framer.read({ tailer, cursor, slab, ending })
      while (framing === 'took')
      this.#stage.apply(slab, 0)
      for (const chunk of slab.chunks) {
        for (let frame = chunk.firstFrame; frame < chunk.firstFrame + chunk.frames; frame++) {
          text += this.#kernel.bytes.toString('utf8', slab.startOf(chunk, frame), slab.endOf(frame))
          if (!chunk.partial) text += '\n'
        }
      }
      if (slab.frames > 0) slab.settle(0, slab.frames, DELIVERED)
      this.#budget.release(slab.extent)
    }
    return { text, to: cursor.read }
  }
}
