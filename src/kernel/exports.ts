/** What the compiled module exports: its calls, and the globals that are their parameters and results. */

/** What to render, and where to. Numbers are addresses but for `first` and `count`. */
export interface Rendering {
  /** The table of frames, the row of the first one, how many there are, and where that one begins. */
  readonly ends: number
  readonly first: number
  readonly count: number
  readonly start: number
  /** Where records go, and the first byte that may not be written. */
  readonly out: number
  readonly limit: number
  /** The rows of the table's frames, and how many bytes each has. Default: there are none. */
  readonly rows?: number
  readonly rowBytes?: number
  /** Each maximal subpart that is not UTF-8 is replaced by U+FFFD (WHATWG Encoding Standard). */
  readonly repair?: boolean
  /** The first frame is the head of a file, where a byte order mark is left out. */
  readonly atFileStart?: boolean
  /** Of the first frame nothing is shown that was found in it but its time and level: it is its own message. */
  readonly bare?: boolean
  /** The first frame is cut, between two characters, where it is too long for its record, its message or the space. */
  readonly cut?: boolean
  /** The partition whose group is open. */
  readonly opened?: number
}

/** The frames that `redact` and `redactOwn` look at, and what they know of them: see `Redaction`. */
type Redacted = [
  table: number,
  from: number,
  ends: number,
  count: number,
  wall: number,
  how: number,
  open: number,
  head: boolean,
]

/** Parameters and results of a call are globals of the module: see assembly/parameters.ts. */
export interface Exports extends Record<keyof Rendering, WebAssembly.Global> {
  readonly steps: WebAssembly.Global
  readonly trim: WebAssembly.Global
  readonly counts: WebAssembly.Global
  readonly measures: WebAssembly.Global
  readonly messageBytes: WebAssembly.Global
  readonly messageSlot: WebAssembly.Global
  readonly refusesBlank: WebAssembly.Global
  readonly oldest: WebAssembly.BigGlobal
  readonly newest: WebAssembly.BigGlobal
  readonly recordBytes: WebAssembly.Global
  render(): number
  readonly end: WebAssembly.Global
  readonly repaired: WebAssembly.Global
  readonly cutAt: WebAssembly.Global
  readonly bared: WebAssembly.Global
  readonly retimed: WebAssembly.Global
  readonly partitionAt: WebAssembly.Global
  readonly partitionTexts: WebAssembly.Global
  readonly encloses: WebAssembly.Global
  readonly partitioned: WebAssembly.Global
  partition(plan: number, book: number, closed: boolean, readNanos: bigint): number
  readonly beyond: WebAssembly.Global
  enlist(plan: number, book: number, number: number, readNanos: bigint): number
  frames(from: number, to: number, ends: number, max: number, lineEnd: number): number
  padded(ends: number, first: number, count: number, start: number): number
  records(
    from: number,
    to: number,
    ends: number,
    max: number,
    lineEnd: number,
    table: number,
    maxLines: number,
    maxBytes: number,
    final: boolean,
  ): number
  goesOn(table: number, line: number, to: number): number
  readonly column: WebAssembly.Global
  readonly rows: WebAssembly.Global
  readonly rowBytes: WebAssembly.Global
  acquit(): void
  filter(table: number): number
  readonly base: WebAssembly.Global<bigint>
  readonly offsets: WebAssembly.Global
  readonly key: WebAssembly.Global
  readonly seed: WebAssembly.Global<bigint>
  readonly salt: WebAssembly.Global<bigint>
  readonly threshold: WebAssembly.Global
  readonly keepLevel: WebAssembly.Global
  readonly chosen: WebAssembly.Global
  sample(verdict: number): number
  divided(ends: number, first: number, count: number, start: number): number
  joinParts(from: number, to: number): number
  link(): void
  unlink(): void
  beforeRun(from: number, ends: number, frames: number): number
  repeats(verdict: number, window: bigint): number
  readonly bytesLeft: WebAssembly.Global
  readonly bytesPerMs: WebAssembly.Global
  readonly recordsLeft: WebAssembly.Global
  readonly recordsPerMs: WebAssembly.Global
  readonly filledAt: WebAssembly.Global
  curb(verdict: number, now: number, timed: boolean): number
  readonly source: WebAssembly.Global
  readonly origin: WebAssembly.Global
  readonly head: WebAssembly.Global
  readonly tail: WebAssembly.Global
  readonly gaps: WebAssembly.Global
  thin(to: number, out: number): number
  readonly stop: WebAssembly.Global
  readonly written: WebAssembly.Global
  readonly openAt: WebAssembly.Global
  readonly continued: WebAssembly.Global
  extract(
    table: number,
    ends: number,
    first: number,
    count: number,
    start: number,
    rows: number,
    rowBytes: number,
    atFileStart: boolean,
    spans: number,
  ): number
  times(
    plan: number,
    ends: number,
    first: number,
    count: number,
    start: number,
    rows: number,
    row: number,
    base: number,
    column: number,
    salt: number,
    readAt: number,
  ): void
  readonly timesMissing: WebAssembly.Global
  readonly timesUnreadable: WebAssembly.Global
  readonly timesOld: WebAssembly.Global
  readonly timesAhead: WebAssembly.Global
  levels(plan: number, ends: number, first: number, count: number, start: number, rows: number, row: number): void
  readonly levelsMissing: WebAssembly.Global
  readonly levelsUnknown: WebAssembly.Global
  redact(...frames: Redacted): number
  redactOwn(...frames: [...Redacted, own: number, room: number]): number
  readonly notes: WebAssembly.Global
  readonly mostNotes: WebAssembly.Global
  readonly noted: WebAssembly.Global
  decode(encoding: number, from: number, to: number, out: number, limit: number, last: boolean): number
  readonly consumed: WebAssembly.Global
  readonly replaced: WebAssembly.Global
  lineEnds(encoding: number, from: number, to: number, table: number, max: number, lineEnd: number): number
}
