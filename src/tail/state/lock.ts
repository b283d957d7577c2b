/**
 * The claim: one program for each state directory. Two would overwrite each other's positions and clear away each other's
 * pins.
 *
 * A claim is a listening socket in the directory, which is ours alone: no other user can put one there. It dies with its holder, however that dies, whatever process ids are
 * (in containers all are 1), and is seen from every container that shares the volume: a connection to a dead one is
 * refused. A holder says who it is.
 *
 * Each program's socket has a name of its own that is never used again, so a program that finds a dead one may remove it. A
 * program shows its socket first and looks for others afterwards: of two at least one sees the other. It holds the
 * directory once it has seen no other. Of two that see each other the later name hides, waits and looks again.
 *
 * Guarantees: never two at once; never refused because of a dead holder; where sockets or writing are not possible
 * there is no claim and no harm. Nothing here throws.
 */
import { randomBytes } from 'node:crypto'
import { renameSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../errors.ts'
import type { PrivateDirectory } from '../../private.ts'
import type { StateDirectory } from '../../state.ts'

/** Milliseconds for a holder to say who it is. One that is being killed hangs up within this time. */
const ANSWER = 2000
/** Between looks while another program begins or ends, and for how long. */
const AGAIN = 20
const PATIENCE = 10_000
/** A socket that is shown, and one that is not: not yet, or not now. */
const SHOWN = /^claim\.[0-9a-f]{12}$/
const HIDDEN = /^claim\.[0-9a-f]{12}\.hidden$/
/** Milliseconds after which a hidden socket that is dead was left behind: one that does not listen yet is younger. */
const LEFT = 60_000
/** What a socket says first: its program holds the directory, or would like to. */
const HOLDS = '+'
const BEGINS = '-'

export type Claimed =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** `by` is what the holder says of itself, or that it says nothing. */
  | { readonly kind: 'held'; readonly by: string }
  /** It cannot be told: no program is kept from starting. */
  | { readonly kind: 'unknown'; readonly code: string }

/** A socket that is shown in the directory. */
export class Claim {
  readonly name: string
  readonly #directory: PrivateDirectory
  readonly #server: Server
  #says = BEGINS

  /** A socket's path has 107 bytes at the most: that of the open directory is short, whatever its name is. */
  static async begin(directory: PrivateDirectory): Promise<Claim> {
    const server = createServer()
    const claim = new Claim(`claim.${randomBytes(6).toString('hex')}`, directory, server)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.on('error', reject)
    server.listen(directory.at(claim.#hidden), resolve)
    server.unref()
    await promise
    return claim
  }

  private constructor(name: string, directory: PrivateDirectory, server: Server) {
    this.name = name
    this.#directory = directory
    this.#server = server
    server.on('connection', socket => {
      socket.on('error', () => {})
      socket.end(`${this.#says}process ${process.pid} on ${hostname()}`)
    })
  }

  get #hidden(): string {
    return `${this.name}.hidden`
  }

  show(): void {
    renameSync(this.#directory.at(this.#hidden), this.#directory.at(this.name))
  }

  hide(): void {
    renameSync(this.#directory.at(this.name), this.#directory.at(this.#hidden))
  }

  hold(): void {
    this.#says = HOLDS
  }

  release(): void {
    remove(this.#directory, this.name)
    remove(this.#directory, this.#hidden)
    this.#server.close()
  }
}

/** Claims a directory, which is made by being opened if it is not there. */
export async function claim(state: Pick<StateDirectory, 'open'>): Promise<Claimed> {
  let own: Claim | undefined
  try {
    const directory = state.open()
    own = await Claim.begin(directory)
    own.show()
    for (const deadline = performance.now() + PATIENCE; performance.now() < deadline; await sleep(AGAIN)) {
      const others = await look(directory, own.name)
      switch (others.kind) {
        case 'none': {
          own.hold()
          const claim = own
          own = undefined
          return { kind: 'claimed', claim }
        }
        case 'holder':
          return { kind: 'held', by: others.who }
        case 'wait':
          break
        case 'yield':
          own.hide()
          await sleep(AGAIN)
          own.show()
      }
    }
    return { kind: 'held', by: 'a process that begins or ends' }
  } catch (error) {
    return { kind: 'unknown', code: codeOf(error) }
  } finally {
    own?.release()
  }
}

type Others =
  | { readonly kind: 'none' }
  | { readonly kind: 'holder'; readonly who: string }
  /** Another program begins too, or ends: the one that has the first name waits until it is gone, the other one yields. */
  | { readonly kind: 'wait' | 'yield' }

/** Looks at every other socket in the directory, and removes the dead ones, and what another user put there. */
async function look(directory: PrivateDirectory, own: string): Promise<Others> {
  let others: Others = { kind: 'none' }
  for (const name of directory.names()) {
    const hidden = HIDDEN.test(name)
    if (name === own || !(SHOWN.test(name) || (hidden && age(directory, name) > LEFT))) continue
    const stats = directory.stat(name)
    const foreign = stats !== undefined && !directory.isOurs(stats)
    const holder: Holder = foreign ? { kind: 'dead' } : await ask(directory.at(name))
    if (holder.kind === 'dead') remove(directory, name)
    if (hidden || holder.kind === 'dead' || holder.kind === 'gone') continue
    if (holder.kind === 'holds') return { kind: 'holder', who: holder.who }
    if (holder.kind === 'begins' && name < own) others = { kind: 'yield' }
    else if (others.kind === 'none') others = { kind: 'wait' }
  }
  return others
}

/** `holds`: or says nothing, which is the same to us. `dying`: it hung up, and will be dead. */
type Holder = { readonly kind: 'holds'; readonly who: string } | { readonly kind: 'begins' | 'dying' | 'dead' | 'gone' }

/** Asks the program that listens at a socket for its name. */
function ask(path: string): Promise<Holder> {
  const { promise, resolve, reject } = Promise.withResolvers<Holder>()
  const socket = connect(path)
  let who = ''
  let connected = false
  // A holder that is stopped says nothing, but is there.
  const timer = setTimeout(() => resolve({ kind: 'holds', who: 'a process that does not answer' }), ANSWER)
  socket.setEncoding('utf8')
  socket.on('connect', () => {
    connected = true
  })
  socket.on('data', (part: string) => {
    who = (who + part).slice(0, 300)
  })
  socket.on('error', error => {
    const code = codeOf(error)
    if (connected || code === 'ECONNRESET' || code === 'EPIPE') resolve({ kind: 'dying' })
    else if (code === 'ECONNREFUSED') resolve({ kind: 'dead' })
    else if (code === 'ENOENT') resolve({ kind: 'gone' })
    else reject(error)
  })
  socket.on('close', () => {
    if (who === '') resolve({ kind: 'dying' })
    else if (who.startsWith(BEGINS)) resolve({ kind: 'begins' })
    else resolve({ kind: 'holds', who: printable(who.slice(HOLDS.length)) })
  })
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** Milliseconds since it was last moved or made. */
function age(directory: PrivateDirectory, name: string): number {
  const stats = directory.stat(name)
  return stats === undefined ? 0 : Date.now() - Number(stats.ctimeMs)
}

function remove(directory: PrivateDirectory, name: string): void {
  try {
    directory.remove(name)
  } catch {
    // It stays until the next program finds it.
  }
}

/** Any program may answer. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}
