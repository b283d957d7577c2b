/** One log of the rig, from the application's side: the lines that were written, and where they can be read now. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { LINE, lineOf } from './judge.ts'
import type { Log, LogDirectory, Rotation } from './rotation.ts'

export class Followed {
  readonly rotation: Rotation
  readonly source: string
  readonly place: LogDirectory
  readonly refusals: string[] = []
  /** Numbers of lines that lay nowhere on the volume when the fault was over. */
  gone: ReadonlySet<number> = new Set()
  log!: Log
  written = 0

  constructor(rotation: Rotation, source: string, place: LogDirectory) {
    this.rotation = rotation
    this.source = source
    this.place = place
  }

  /** The followed path that is written to now. */
  get current(): string {
    const { place, rotation } = this
    const [name] = rotation.follows ?? ['app.log']
    if (name !== undefined && !name.includes('*')) return place.path(name)
    if (existsSync(place.path())) return place.path()
    const born = (file: string) => statSync(place.path(file)).birthtimeMs
    const files = readdirSync(place.directory).filter(file => !file.endsWith('.gz'))
    return place.path(files.sort((a, b) => born(b) - born(a))[0])
  }

  take(count: number): string {
    let text = ''
    for (let n = 0; n < count; n++) text += `${lineOf(this.source, this.written++)}\n`
    return text
  }

  async write(count: number): Promise<void> {
    await this.log.write(this.take(count))
  }

  async rotate(): Promise<void> {
    try {
      await this.log.rotate()
    } catch (error) {
      this.refusals.push(String((error as { stderr?: Buffer }).stderr ?? error).trim())
    }
  }

  /** The numbers of all lines that can be read: in the files of its directory, compressed ones too, or by `handles`. */
  readable(handles: readonly string[]): Set<number> {
    const numbers = new Set<number>()
    const files = readdirSync(this.place.directory, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
    for (const path of [...files, ...handles]) {
      const text = plain(contentOf(path))
      for (let at = text.indexOf(` ${this.source} `); at >= 8; at = text.indexOf(` ${this.source} `, at + LINE / 2)) {
        numbers.add(Number(text.slice(at - 8, at)))
      }
    }
    return numbers
  }
}

/** Of a handle that was closed since, nothing: its file was done with. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (path.startsWith('/proc/')) return Buffer.alloc(0)
    throw error
  }
}

function plain(bytes: Buffer): string {
  try {
    if (bytes.readUInt16BE() === 0x1f8b) return gunzipSync(bytes).toString('latin1')
    if (bytes.readUInt32LE() === 0xfd2fb528) return zstdDecompressSync(bytes).toString('latin1')
  } catch {
    // Shorter than a magic number, or no archive after all.
  }
  return bytes.toString('latin1')
}
