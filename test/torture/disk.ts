/**
 * A disk whose power can be cut. Loaded into the shipper before the program (`--import`), it puts down what the kernel was
 * asked to synchronize, and tells the program which boot this is; `cutPower` then leaves of the checkpoints what such a disk
 * might have:
 *   - each name leads where it led when the directory was synchronized last, or where it leads now, each for itself;
 *   - a file that was synchronized is whole; any other is whole, empty, torn or zeros.
 * Pins are left as they are: a journal keeps the order of a link and of what the application removed after it.
 *
 * Nothing of this is in the program: it asks the file system, and that answers otherwise.
 */
import fs, { type BigIntStats } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, join } from 'node:path'

const BOOT_ID = '/proc/sys/kernel/random/boot_id'
const NAMES = ['checkpoint', 'checkpoint.previous', 'checkpoint.tmp'] as const
const LISTING = 'listing.json'

/** What a synchronized directory said: by name the file. */
interface Listing {
  readonly names: Readonly<Record<string, string>>
}

/** The number of a freed inode is given to the next file. */
const keyOf = ({ ino, birthtimeNs }: BigIntStats): string => `${ino}-${birthtimeNs}`

/** Lets the program of this process believe in `boot`, and puts down in `into` what it synchronizes. */
async function install(into: string, boot: string): Promise<void> {
  const { readFileSync, fsync } = fs
  const note = (fd: number): void => {
    const stats = fs.fstatSync(fd, { bigint: true })
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
    if (stats.isDirectory()) {
      const names = Object.fromEntries(
        NAMES.flatMap(name => {
          const found = fs.lstatSync(join(path, name), { bigint: true, throwIfNoEntry: false })
          return found === undefined ? [] : [[name, keyOf(found)]]
        }),
      )
      fs.writeFileSync(join(into, `${LISTING}.new`), JSON.stringify({ names } satisfies Listing))
      fs.renameSync(join(into, `${LISTING}.new`), join(into, LISTING))
    } else if (basename(path).startsWith('checkpoint')) {
      fs.copyFileSync(`/proc/self/fd/${fd}`, join(into, keyOf(stats)))
    }
  }
  fs.readFileSync = ((path: string, ...rest: []) =>
    path === BOOT_ID ? `${boot}\n` : readFileSync(path, ...rest)) as typeof fs.readFileSync
  fs.fsync = ((fd: number, done: fs.NoParamCallback) =>
    fsync(fd, error => {
      if (error === null) note(fd)
      done(error)
    })) as typeof fs.fsync
  syncBuiltinESMExports()
  const handle = await fs.promises.open(into)
  const prototype = Object.getPrototypeOf(handle) as { sync(this: fs.promises.FileHandle): Promise<void> }
  await handle.close()
  const { sync } = prototype
  prototype.sync = async function () {
    await sync.call(this)
    note(this.fd)
  }
}

/** When, in milliseconds since the epoch, what is surely left of the state was synchronized; undefined if nothing is. */
export function syncedAt(kept: string): number | undefined {
  const key = listing(kept).names['checkpoint.previous']
  return key === undefined ? undefined : fs.statSync(join(kept, key), { throwIfNoEntry: false })?.mtimeMs
}

/** Leaves of the state what a power cut might. `next`: a number in [0, 1). `kept`: what was put down. */
export function cutPower(state: string, kept: string, next: () => number): void {
  const before = listing(kept).names
  const contents = new Map<string, Buffer | undefined>()
  for (const name of NAMES) {
    const path = join(state, name)
    const now = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
    const keys = [before[name], now && keyOf(now)]
    const key = keys[next() < 0.5 ? 0 : 1]
    const synced = key === undefined ? undefined : join(kept, key)
    const isHere = now !== undefined && key === keyOf(now)
    if (key === undefined) contents.set(name, undefined)
    else if (fs.existsSync(synced!)) contents.set(name, fs.readFileSync(synced!))
    else contents.set(name, damaged(isHere ? fs.readFileSync(path) : Buffer.alloc(400, 'x'), isHere, next))
  }
  for (const [name, content] of contents) {
    const path = join(state, name)
    if (content === undefined) fs.rmSync(path, { force: true })
    else replace(path, content)
  }
  for (const name of fs.readdirSync(kept)) if (name !== LISTING) fs.rmSync(join(kept, name))
  // What is there now is what the disk holds.
  const names: Record<string, string> = {}
  for (const name of NAMES) {
    const found = fs.lstatSync(join(state, name), { bigint: true, throwIfNoEntry: false })
    if (found === undefined) continue
    names[name] = keyOf(found)
    fs.copyFileSync(join(state, name), join(kept, keyOf(found)))
    fs.chmodSync(join(kept, keyOf(found)), 0o666)
  }
  fs.writeFileSync(join(kept, LISTING), JSON.stringify({ names } satisfies Listing))
  fs.chmodSync(join(kept, LISTING), 0o666)
}

function listing(kept: string): Listing {
  const path = join(kept, LISTING)
  return fs.existsSync(path) ? (JSON.parse(fs.readFileSync(path, 'utf8')) as Listing) : { names: {} }
}

/** What is left of content that was not synchronized. `whole`: it may be all of it. */
function damaged(content: Buffer, whole: boolean, next: () => number): Buffer {
  const kinds = [Buffer.alloc(0), content.subarray(0, content.length >> 1), Buffer.alloc(content.length)]
  if (whole) kinds.push(content)
  return kinds[Math.floor(next() * kinds.length)]!
}

/** The file stays its owner's, as does one that is not there yet. */
function replace(path: string, content: Buffer): void {
  const { uid, gid } = fs.statSync(join(path, '..'))
  fs.rmSync(path, { force: true })
  fs.writeFileSync(path, content, { mode: 0o600 })
  fs.chownSync(path, uid, gid)
}

const { TORTURE_DISK: into, TORTURE_BOOT: boot } = process.env
if (into !== undefined && boot !== undefined) await install(into, boot)
