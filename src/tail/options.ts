/** What can be said about the files to follow, and about where their positions are kept. */
import * as z from 'zod/mini'
import { STATE_DIR } from '../directory.ts'
import type { Encoding } from '../kernel/kernel.ts'
import { ABSOLUTE_PATH } from '../path.ts'
import { size } from '../size.ts'
import type { Permissions } from '../state.ts'
import { parseGlob } from './patterns/glob.ts'
import { notAbsolute } from './patterns/meaning.ts'

/** Names become label values and metric labels: a small alphabet, short. */
const name = z
  .string()
  .check(z.regex(/^[A-Za-z0-9_.-]{1,63}$/, { error: '1 to 63 letters, digits and the signs _ . -' }))

const glob = z.string().check(
  z.regex(ABSOLUTE_PATH, { error: ({ input }) => notAbsolute(input), abort: true }),
  z.refine(written => parseGlob(written).kind === 'globs', {
    error: ({ input }) => {
      const parsed = parseGlob(String(input))
      return parsed.kind === 'globs' ? undefined : parsed.allowed
    },
  }),
)

const directory = z.string().check(z.regex(ABSOLUTE_PATH, { error: 'the absolute path of a directory' }))

const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'latin-1', 'windows-1252'] as const
const LINE_ENDS = ['lf', 'cr', 'nul'] as const

/** Of one source. Each is matched against each name in a directory. */
const MOST_GLOBS = 1000

/** Every record carries them, and the template of a record must fit the kernel's room. */
const LABELS_BYTES = 8192

export const sourceSchema = z.strictObject({
  name: z
    .optional(name)
    .check(z.describe('Label value and metric label. Default: app, then source-2, source-3 and so on.')),
  paths: z
    .array(glob)
    .check(
      z.minLength(1, { error: 'at least one absolute path or glob' }),
      z.maxLength(MOST_GLOBS, { error: `at most ${MOST_GLOBS} paths and globs` }),
    )
    .check(z.describe('Absolute globs of the files to follow.')),
  exclude: z
    ._default(z.array(glob).check(z.maxLength(MOST_GLOBS, { error: `at most ${MOST_GLOBS} paths and globs` })), [])
    .check(z.describe('Absolute globs of files that are never followed.')),
  labels: z
    ._default(
      z.record(
        z.string().check(z.regex(/^[^\x00-\x1f\x7f-\x9f]{1,128}$/u, { error: 'a label name of 1 to 128 characters' })),
        z.string(),
      ),
      {},
    )
    .check(
      z.refine(labels => JSON.stringify(labels).length <= LABELS_BYTES, {
        error: `at most ${LABELS_BYTES} characters of labels in all`,
      }),
      z.describe('Labels that every record of this source carries.'),
    ),
  maxLineBytes: z
    .prefault(size({ min: 1024, max: 8 * 1024 ** 2 }), '1MiB')
    .check(z.describe('Longer lines are cut here, marked as truncated and counted.')),
  encoding: z
    ._default(z.enum(ENCODINGS), 'utf-8')
    .check(z.describe('How the text of the files is encoded. Records are UTF-8 in any case.')),
  lineEnd: z
    ._default(z.enum(LINE_ENDS), 'lf')
    .check(
      z.describe(
        'What ends a line: a line feed (a carriage return before it is cut off too), a carriage return, a NUL.',
      ),
    ),
  followSymlinks: z
    ._default(z.array(directory), [])
    .check(z.describe('Candidates, outside the one that is followed, that symbolic links may lead into.')),
})

export const stateSchema = z.strictObject({
  dir: z
    .prefault(
      z.pipe(
        z.union([directory, z.literal('off'), z.literal(false), z.null()], {
          error: 'the absolute path of a directory, or off',
        }),
        z.transform((value): string | null => (typeof value === 'string' && value !== 'off' ? value : null)),
      ),
      STATE_DIR,
    )
    .check(
      z.describe(
        'Where positions are kept: a directory on a volume that no other container mounts. off: only in memory.',
      ),
    ),
  permissions: z
    ._default(z.enum(['strict', 'ignore']), 'strict')
    .check(
      z.describe(
        'ignore: on a volume that keeps no owners (Azure Files, SMB), where every user who mounts it may change what is kept.',
      ),
    ),
  unpacked: z
    .prefault(
      z.strictObject({
        maxBytes: z
          .prefault(size({ min: 1024 ** 2, max: 1024 ** 4 }), '1GiB')
          .check(
            z.describe('How much of the disk rotated files take that were compressed before they were read, unpacked.'),
          ),
      }),
      {},
    )
    .check(z.describe('Files that are unpacked to be read.')),
  held: z
    .prefault(
      z.strictObject({
        maxBytes: z
          .prefault(size({ min: 1024 ** 2, max: 1024 ** 4 }), '1GiB')
          .check(z.describe('How much of the volume deleted files may take while a backend is behind on them.')),
        policy: z
          ._default(z.enum(['hold', 'drop-oldest']), 'hold')
          .check(
            z.describe(
              'Beyond that, or half of the open files: hold on and warn, or drop what is unread of the oldest, counted.',
            ),
          ),
      }),
      {},
    )
    .check(z.describe('Files that the application has deleted and a backend has not acknowledged.')),
})

export const volumeSchema = z.strictObject({
  sizeLimit: z
    .optional(size({ min: 1024 ** 2, max: 1024 ** 5 }))
    .check(z.describe('The sizeLimit of the volume that holds the logs: warn before the kubelet evicts the pod.')),
})

/** One source, complete: `name` has been given or derived. Sizes in bytes. */
export interface SourceOptions {
  readonly name: string
  readonly paths: readonly string[]
  readonly exclude: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly maxLineBytes: number
  readonly encoding: (typeof ENCODINGS)[number]
  readonly lineEnd: LineEnd
  readonly followSymlinks: readonly string[]
}

export type LineEnd = (typeof LINE_ENDS)[number]

const ENDS: Record<LineEnd, number> = { lf: 10, cr: 13, nul: 0 }

/** How the text of files is written. */
export interface TextForm {
  /** Bytes of text that a line may have, without its end. */
  readonly maxBytes: number
  /** Undefined for UTF-8, of which nothing has to be made. */
  readonly encoding: Encoding | undefined
  /** Bytes of a unit. */
  readonly unit: 1 | 2
  /** The unit that ends a line, which is also the byte that does so in UTF-8. */
  readonly end: number
}

export function textFormOf({ maxLineBytes, encoding, lineEnd }: SourceOptions): TextForm {
  return {
    maxBytes: maxLineBytes,
    encoding: encoding === 'utf-8' ? undefined : encoding,
    unit: encoding.startsWith('utf-16') ? 2 : 1,
    end: ENDS[lineEnd],
  }
}

/** Bytes of a slab that text in another encoding takes besides its lines while it is decoded. */
export const DECODING_ROOM = 64 * 1024

/** Bytes of a slab that the longest line of a source needs. */
export function lineRoom({ maxLineBytes, encoding }: SourceOptions): number {
  return maxLineBytes + (encoding === 'utf-8' ? 0 : DECODING_ROOM)
}

export interface VolumeOptions {
  /** Bytes that the volume may hold before the pod is evicted; `undefined`: that is not watched. */
  readonly sizeLimit?: number | undefined
}

export interface StateOptions {
  /** Absolute path of a directory; `null` keeps positions in memory only. */
  readonly dir: string | null
  /** Whether the directory must be ours alone. */
  readonly permissions: Permissions
  readonly held: HeldOptions
  /** Bytes that unpacked files may take of the disk in all. */
  readonly unpacked: { readonly maxBytes: number }
}

/** What becomes of files that the application has deleted and a backend has not acknowledged. Bytes. */
export interface HeldOptions {
  readonly maxBytes: number
  readonly policy: 'hold' | 'drop-oldest'
}
