/**
 * How much larger frames get when they are encoded, learned from the payloads: so that a slab is read as large as makes
 * one full payload, and not one and a bit. A guess, by which nothing is lost or cut.
 */

/** Payloads of less than this say more about their frame than about their records. */
const TELLING = 64 * 1024
/** What is larger is believed at once; what is smaller by this share, or wholly if it was said by so many bytes. */
const DECAY = { share: 1 / 16, whole: 8 * 1024 * 1024 }
/** Room for what comes to be a little larger than what came. */
const MARGIN = 1.03

export class Expansion {
  #factor = 2

  /** Frames of so many bytes became a payload of so many. */
  learn(frames: number, payload: number): void {
    if (frames < TELLING) return
    const factor = payload / frames
    const share = Math.min(1, Math.max(DECAY.share, frames / DECAY.whole))
    this.#factor = factor > this.#factor ? factor : this.#factor + (factor - this.#factor) * share
  }

  /** How many bytes of frames probably make a payload of `payload` bytes. */
  framesFor(payload: number): number {
    return Math.floor(payload / (this.#factor * MARGIN))
  }
}
