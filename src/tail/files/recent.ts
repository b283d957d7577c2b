/**
 * What is remembered by path, of files that may be long gone: how many there were is the application's choice, so what
 * was remembered the longest ago is forgotten once the paths take more than a limit. What is still followed stays.
 */

/** Characters of all paths; and what each takes beside its own: characters. */
const MOST = 2 * 1024 ** 2
const EACH = 100
const SLACK = 1.25

export class Recent<Value> {
  readonly #values = new Map<string, Value>()
  readonly #stays: (path: string) => boolean
  readonly #most: number
  #characters = 0
  /** Beyond this many something is forgotten. */
  #limit: number

  /** `stays`: whether what is known of a path is needed however long ago it was remembered. */
  constructor(stays: (path: string) => boolean, most = MOST) {
    this.#stays = stays
    this.#most = most
    this.#limit = most
  }

  get size(): number {
    return this.#values.size
  }

  has(path: string): boolean {
    return this.#values.has(path)
  }

  get(path: string): Value | undefined {
    return this.#values.get(path)
  }

  set(path: string, value: Value): void {
    if (!this.#values.delete(path)) this.#characters += path.length + EACH
    this.#values.set(path, value)
    if (this.#characters > this.#limit) this.#forget()
  }

  #forget(): void {
    // All of them may have to stay: they must not be looked at again for each that comes.
    for (let left = this.#values.size - 1; left > 0 && this.#characters > this.#most; left--) {
      const [path, value] = this.#values.entries().next().value!
      this.#values.delete(path)
      if (this.#stays(path)) this.#values.set(path, value)
      else this.#characters -= path.length + EACH
    }
    this.#limit = this.#characters > this.#most ? this.#characters * SLACK : this.#most
  }
}
