/** What lies on the volume: lines, the inodes that hold them, and what an observer knows of the shipper's way to each. */

/**
 * A handle counts as kept if it was there in two looks this far apart, by the time that the shipper had: looking for
 * siblings opens files too.
 */
const KEPT = 40

export interface Line {
  /** What stands between the line feeds, without the NULs of a hole in front. */
  readonly text: string
  /** What may arrive of it: no more than the limit. */
  readonly expected: string
  /** Bytes in the file, hole and line feed included. */
  readonly bytes: number
  readonly hole: number
  /** Lines of one incarnation of one file must arrive in the order of `seq`. */
  readonly incarnation: number
  readonly seq: number
  readonly writtenAt: number
  /** The name it was written to, and its place among all lines of the program. */
  readonly name: string
  readonly place: number
  /** Offsets in `text` at which the shipper may have taken a last line without a line end. */
  readonly cuts: readonly number[]
  /** A last line without a line end, at the very end. */
  readonly unended: boolean
  /** How many lines of exactly this text were written before it. */
  readonly rank: number
  readonly homes: Set<Node>
  /** How many different ids may carry it at most. */
  allowed: number
  /** It must arrive before what was written later to the same name, whatever became of its file. */
  ordered: boolean
}

/** An inode. */
export class Node {
  readonly key: string
  readonly birth: bigint
  readonly names = new Set<string>()
  /** The first name of the pattern that it carried. */
  origin: string | undefined
  lines: { line: Line; end: number }[] = []
  tail = ''
  tailHole = 0
  tailCuts: number[] = []
  /** What was cut off behind the last line's beginning need not have been noticed when it is read on. */
  tailAgain = false
  /** When content was cut off of which nothing had arrived. */
  unreadCutAt = Number.NEGATIVE_INFINITY
  size = 0
  incarnation: number
  seq = 0
  readable = true
  readableSince = Number.NEGATIVE_INFINITY
  /** It was rotated to a name as tools give it, or is a copy of that name. */
  rotation = false
  /** It was made while no shipper ran, or when. */
  unseen = false
  madeAt = performance.now()
  /** It is a copy of a file whose last line went on meanwhile: the piece of it may come, and need not. */
  outdated = false
  /** The content is ordered among that of other files of its name: no longer once they are looked for apart. */
  ordered = true
  /** When the running shipper was first seen to hold it open, and when last. */
  openSince: number | undefined
  openAt: number | undefined
  /** For how long, by the time that the shipper had: milliseconds. */
  openFor = 0
  /** Since when the shipper has known this inode, whether or not it holds it open now. */
  metSince: number | undefined
  /** Since when it must have seen how the present content begins. */
  seenSince: number | undefined
  /** It must be in the checkpoint; and the last death at which it must have been followed. */
  durable = false
  followedAt = 0
  copy = false
  /** Its content was replaced between two looks. */
  forgotten = false
  /** The state directory had a link to it when the shipper died. */
  pinned = false
  /** The name under which its compressed content is there. */
  packed: string | undefined
  /** A checkpoint must hold how it begins, so that it is known by its content. */
  recognizable = false
  /** It is a copy, and the shipper knows by its content what it is the copy of: since when. */
  linkedSince: number | undefined
  /** When it was written to last. */
  writtenAt = Number.NEGATIVE_INFINITY
  /** When the truncation came that explains the copy. */
  explainedAt: number | undefined
  /** The shipper had time enough to open it before its last name was gone. */
  owed = false

  constructor(key: string, birth: bigint, incarnation: number) {
    this.key = key
    this.birth = birth
    this.incarnation = incarnation
  }

  /** The first line of the present content. */
  get first(): Line | undefined {
    const first = this.lines[0]?.line
    return first?.incarnation === this.incarnation ? first : undefined
  }

  /** Its lines may come behind later ones from now on. */
  unorder(): void {
    this.ordered = false
    for (const { line } of this.lines) line.ordered = false
  }

  get kept(): boolean {
    return this.openSince !== undefined && this.openFor >= KEPT
  }
}
