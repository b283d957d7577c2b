/**
 * What the kernel uses of the WebAssembly JavaScript Interface. Node has it, but its types only come with those of a
 * browser, which would let `window` and the like slip into a program that has none.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    /** Both are pages of 64 KiB. */
    constructor(descriptor: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>)
    readonly exports: Record<string, unknown>
  }
  /** A number of 32 bits, or of 64 (a bigint), which can be set only where the module exports a variable. */
  interface Global<T extends number | bigint = number> {
    value: T
  }
  /** The same of 64 bits. */
  interface BigGlobal {
    value: bigint
  }
}
