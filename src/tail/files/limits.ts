/**
 * Limits of what is known of the volume at a time, by the memory there is.
 *
 * The application chooses how many files and directories there are; how much memory there is for knowing them, the pod's
 * manifest and Node's options say. What is beyond a limit waits until there is room, and is counted.
 */
import { getHeapStatistics } from 'node:v8'
import { memoryLimit } from '../../memory.ts'

export interface Limits {
  /** Files that are followed. */
  readonly files: number
  /** Names that match and may be anything else: links, FIFOs, directories. */
  readonly others: number
  /** Directories that are looked into. */
  readonly directories: number
  /** Files and directories together, in files: so many directories take as much memory as one file. */
  readonly all: number
  readonly directoriesOfAFile: number
  /** Directories that the system is asked to report about, and the names that may stand in all of them: each is looked at. */
  readonly watches: number
  readonly watchedNames: number
}

const KIB = 1024
const MIB = KIB * KIB
/**
 * What everything else takes, measured beside a neighbour that does its worst: of V8's heap; and of the memory of the
 * container, beside the pipelines' budget, 30 MiB of our own and 48 of the executable's pages, which are charged to the
 * first shipper of a node. Where they do not fit the kernel reads them again and again, and nothing else happens.
 */
const HEAP = 17.5 * MIB
const ELSE = (30 + 48) * MIB
/**
 * What a file takes that is followed, with its part of a checkpoint that is being written: of the heap, and in all, what
 * the kernel keeps for a descriptor included. And how many directories take as much of the heap.
 */
const FILE_HEAP = 3 * KIB
const FILE = 6 * KIB
const DIRECTORIES = 8
const FEWEST_FILES = 500
const MOST_FILES = 100_000

/** `budget`: bytes of the pipelines. `heap` and `container`: bytes that they may have. */
export function limitsFor(
  budget = 8 * MIB,
  heap = getHeapStatistics().heap_size_limit,
  container = memoryLimit(),
): Limits {
  const most = (bytes: number, each: number) => Math.floor(Math.min(MOST_FILES, Math.max(FEWEST_FILES, bytes / each)))
  const all = most(heap - HEAP, FILE_HEAP)
  const files = Math.min(all, most((container ?? Number.POSITIVE_INFINITY) - ELSE - budget, FILE))
  return {
    files,
    others: Math.ceil(files / 5),
    directories: 2 * files,
    all,
    directoriesOfAFile: DIRECTORIES,
    watches: Math.max(16, Math.min(512, Math.floor(files / 160))),
    watchedNames: Math.max(1000, Math.min(20_000, Math.floor(files / 5))),
  }
}
