/**
 * An application that writes numbered lines of a fixed size at a steady rate, and rotates by renaming. A process of its
 * own, so that no busy process delays it.
 */
import { closeSync, existsSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes of a line, and how many of them are its number. */
export const LINE = 512
export const DIGITS = 12

export interface Order {
  readonly path: string
  /** Bytes per second; 0: as fast as it can. */
  readonly rate: number
  /** Lines in all. */
  readonly lines: number
  /** Bytes after which the file is renamed, and how many renamed ones are kept. */
  readonly rotateAt?: number
  readonly keep?: number
  /** The number of the first line. */
  readonly first?: number
}

export interface Written {
  readonly lines: number
  readonly bytes: number
  readonly seconds: number
  readonly rotations: number
}

const BLOCK = 256

async function run({ path, rate, lines, rotateAt = 0, keep = 3, first = 0 }: Order): Promise<Written> {
  const block = Buffer.alloc(BLOCK * LINE, `${' application says what it always says;'.repeat(20)}`)
  for (let n = 0; n < BLOCK; n++) block[(n + 1) * LINE - 1] = 10
  let file = openSync(path, 'a')
  let size = 0
  let rotations = 0
  const began = performance.now()
  for (let done = 0; done < lines; ) {
    const due = rate === 0 ? lines : Math.min(lines, ((performance.now() - began) / 1000) * (rate / LINE))
    while (done < due) {
      const count = Math.min(BLOCK, lines - done)
      for (let n = 0; n < count; n++) block.write(String(first + done + n).padStart(DIGITS, '0'), n * LINE, 'latin1')
      writeSync(file, block, 0, count * LINE)
      done += count
      size += count * LINE
      if (rotateAt > 0 && size >= rotateAt) {
        closeSync(file)
        if (existsSync(`${path}.${keep}`)) unlinkSync(`${path}.${keep}`)
        for (let n = keep - 1; n > 0; n--)
          if (existsSync(`${path}.${n}`)) renameSync(`${path}.${n}`, `${path}.${n + 1}`)
        renameSync(path, `${path}.1`)
        file = openSync(path, 'a')
        size = 0
        rotations++
      }
    }
    await sleep(4)
  }
  closeSync(file)
  return { lines, bytes: lines * LINE, seconds: (performance.now() - began) / 1000, rotations }
}

const [, , order] = process.argv
if (order?.startsWith('{')) {
  const written = await run(JSON.parse(order) as Order)
  process.send?.(written)
  process.disconnect?.()
}
