/**
 * The claim: one program for each state folder. Two would overwrite each other's positions and clear away each other's
 * pins.
 *
 * A claim is a listening socket in the folder. It dies with its holder, however that dies, whatever process ids are
 * (in containers all are 1), and is seen from every container that shares the volume: a connection to a dead one is
 * refused, and it is taken over. A holder says who it is.
 *
 * Guarantees: never refused because of a dead holder; where sockets or writing are not possible there is no claim and
 * no harm. Nothing here throws.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../errors.ts'

/** Milliseconds for a holder to say who it is. One that is being killed hangs up within this time. */
const ANSWER = 2000
/** Between looks at a holder that has just hung up, and how many there are at the most. */
const AGAIN = 20
const LOOKS = 50

export type Claimed =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** `by` is what the holder says of itself, or that it says nothing. */
  | { readonly kind: 'taken'; readonly by: string }
  /** It cannot be told: nobody is kept from starting. */
  | { readonly kind: 'unknown'; readonly code: string }

export class Claim {
  readonly #server: Server
  readonly #path: string
  readonly #inode: bigint

  constructor(server: Server, path: string) {
    this.#server = server
    this.#path = path
    this.#inode = lstatSync(path, { bigint: true }).ino
  }

  release(): void {
    try {
      if (lstatSync(this.#path, { bigint: true }).ino === this.#inode) unlinkSync(this.#path)
    } catch {
      // It is gone already, or stays until the next program takes it over.
    }
    this.#server.close()
  }
}

/** Claims a state folder; makes it if it is not there. */
export async function claim(dir: string): Promise<Claimed> {
  const path = join(dir, 'claim')
  const own = `${path}.${randomBytes(6).toString('hex')}`
  let folder: number | undefined
  let server: Server | undefined
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    folder = openSync(dir, 'r')
    const short = (name: string) => `/proc/self/fd/${folder}${name.slice(dir.length)}`
    server = await listen(short(own))
    for (let look = 0; look < LOOKS; look++) {
      // A link is made only if there is none: of two that begin together one sees the other.
      if (linked(own, path)) {
        unlinkSync(own)
        return { kind: 'claimed', claim: new Claim(server, path) }
      }
      const holder = await ask(short(path))
      if (holder.kind === 'alive') return { kind: 'taken', by: holder.who }
      if (holder.kind === 'dead') await bury(path, short)
      if (holder.kind === 'dying') await new Promise(resolve => setTimeout(resolve, AGAIN))
    }
    return { kind: 'unknown', code: 'EAGAIN' }
  } catch (error) {
    return { kind: 'unknown', code: codeOf(error) }
  } finally {
    if (folder !== undefined) closeSync(folder)
    if (server !== undefined && remove(own)) server.close()
  }
}

/** Removes a dead claim, and only that: another program may have put its own in its place meanwhile. */
async function bury(path: string, short: (name: string) => string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if ((await ask(short(aside))).kind === 'alive') linked(aside, path)
  remove(aside)
}

type Holder = { readonly kind: 'alive'; readonly who: string } | { readonly kind: 'dead' | 'dying' | 'gone' }

/** Asks whoever listens at a socket for its name. */
function ask(path: string): Promise<Holder> {
  const { promise, resolve, reject } = Promise.withResolvers<Holder>()
  const socket = connect(path)
  let who = ''
  let connected = false
  // A holder that is stopped says nothing, but is there.
  const timer = setTimeout(() => resolve({ kind: 'alive', who: 'a process that does not answer' }), ANSWER)
  socket.setEncoding('utf8')
  socket.on('connect', () => {
    connected = true
  })
  socket.on('data', (part: string) => {
    who = (who + part).slice(0, 300)
  })
  socket.on('error', error => {
    const code = codeOf(error)
    if (connected) resolve({ kind: 'dying' })
    else if (code === 'ECONNREFUSED') resolve({ kind: 'dead' })
    else if (code === 'ENOENT') resolve({ kind: 'gone' })
    else reject(error)
  })
  socket.on('close', () => resolve(who === '' ? { kind: 'dying' } : { kind: 'alive', who: printable(who) }))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

function listen(path: string): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end(`process ${process.pid} on ${hostname()}`)
  })
  server.on('error', reject)
  server.listen(path, () => resolve(server))
  server.unref()
  return promise
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function remove(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}

/** Whoever answers may be anybody. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
