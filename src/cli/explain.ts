/**
 * `logshipper explain FILE:LINE`: what becomes of the record that holds a line of a file, and the request that each
 * backend would get for it alone.
 *
 *     file ─► records from its beginning on ─► the one that holds the line ─► shown as by `test`
 *
 * What `repeats` and `limit` decide depends on other records, and is not shown.
 *
 * Guarantees: the file is read and nothing else is touched: no state, no lock, no connection. So it works beside a running
 * shipper. Memory does not depend on how long the file is.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Config, SourceConfig } from '../config/config.ts'
import { codeOf } from '../errors.ts'
import type { FileRecord, Read } from '../process/preview/cutter.ts'
import { globsOf, matchesPath } from '../tail/patterns/glob.ts'
import { EXIT } from './exit.ts'
import type { Streams } from './output.ts'
import { choose, Show } from './show.ts'
import { counted, printable } from './table.ts'

/** Bytes before a record that matter to what is redacted in it. */
const BEFORE = 16 * 1024
const GZIP = 0x8b1f

export interface ExplainRequest {
  /** An absolute path. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly backend: string | undefined
  readonly source: string | undefined
  readonly json: boolean
  readonly strict: boolean
}

/** Resolves to the exit code: 2 if there is nothing to explain; 1 for what `strict` refuses. */
export async function explain(config: Config, request: ExplainRequest, { out, err }: Streams): Promise<number> {
  const { file, line } = request
  const refuse = (message: string): number => {
    err.write(`logshipper: ${message}\n`)
    return EXIT.configuration
  }
  const found = sourceOf(config, request)
  if (found.kind === 'wrong') return refuse(found.message)
  const chosen = choose(config, { backend: request.backend, source: found.source.name })
  if (chosen.kind === 'wrong') return refuse(chosen.message)
  const opened = open(file)
  if (opened.kind === 'refused') return refuse(`${printable(file)} ${opened.reason}`)
  const { fd, size } = opened
  try {
    const show = new Show(config, request.json, out)
    const read = readerOf(fd, size)
    let lines = 0
    const holder = (all: Iterable<FileRecord>): FileRecord | undefined => {
      for (const record of all) {
        lines = record.lastLine
        if (lines >= line) return record
      }
      return undefined
    }
    const before = ({ from }: FileRecord): Buffer => {
      const begin = Math.max(0, from - BEFORE)
      return read(begin, from - begin)
    }
    for (const { backend, source } of chosen.pairs) {
      const shown = await show.of(backend, source, { path: file, read, records: holder, before })
      if (shown === 0) return refuse(`${printable(file)} has no line ${line}: it has ${counted(lines, 'line')}`)
    }
    return show.verdict(request.strict, err)
  } catch (error) {
    // The file was cut short, or its volume is gone.
    if (typeof (error as { syscall?: unknown }).syscall !== 'string') throw error
    return refuse(`${printable(file)} cannot be read (${codeOf(error)})`)
  } finally {
    closeSync(fd)
  }
}

type Source =
  | { readonly kind: 'source'; readonly source: SourceConfig }
  | { readonly kind: 'wrong'; readonly message: string }

/** The source that is named, or else the first one that follows the file. */
function sourceOf({ sources }: Config, { file, source: named }: ExplainRequest): Source {
  if (named !== undefined) {
    const source = sources.find(({ name }) => name === named)
    if (source !== undefined) return { kind: 'source', source }
    const all = sources.map(({ name }) => name).join(', ')
    return { kind: 'wrong', message: `unknown source ${named}; configured: ${all}` }
  }
  const matches = (patterns: readonly string[]): boolean =>
    patterns.some(pattern => globsOf(pattern).some(glob => matchesPath(glob, file)))
  const matching = sources.filter(({ paths }) => matches(paths))
  const source = matching.find(({ exclude }) => !matches(exclude))
  if (source !== undefined) return { kind: 'source', source }
  const [shut] = matching
  const why =
    shut === undefined
      ? `their patterns are ${sources.map(({ name, paths }) => `${name}: ${paths.join(', ')}`).join('; ')}`
      : `source ${shut.name} excludes it: ${shut.exclude.join(', ')}`
  const hint = '--source NAME explains it as a file of that source'
  return { kind: 'wrong', message: `no source follows ${printable(file)}; ${why}. ${hint}` }
}

type Opened =
  | { readonly kind: 'open'; readonly fd: number; readonly size: number }
  | { readonly kind: 'refused'; readonly reason: string }

function open(file: string): Opened {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    return { kind: 'refused', reason: code === 'ENOENT' ? 'is not there' : `cannot be opened (${code})` }
  }
  const stats = fstatSync(fd)
  const refuse = (reason: string): Opened => {
    closeSync(fd)
    return { kind: 'refused', reason }
  }
  if (!stats.isFile()) return refuse('is no regular file')
  const head = Buffer.alloc(2)
  if (readSync(fd, head, 0, 2, 0) === 2 && head.readUInt16LE(0) === GZIP) {
    return refuse('is compressed (gzip); allowed: a text, so unpack it first, or: zcat FILE | logshipper test')
  }
  return { kind: 'open', fd, size: stats.size }
}

/** Reads the file as far as it reached when it was opened. */
function readerOf(fd: number, size: number): Read {
  return (position, bytes) => {
    const want = Math.max(0, Math.min(bytes, size - position))
    const buffer = Buffer.allocUnsafe(want)
    let got = 0
    while (got < want) {
      const n = readSync(fd, buffer, got, want - got, position + got)
      if (n === 0) break
      got += n
    }
    return buffer.subarray(0, got)
  }
}
