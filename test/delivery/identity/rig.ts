/** Token servers and metadata servers by their public documents, over real sockets, and an identity that asks them. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Ask, privately } from '../../../src/delivery/identity/ask.ts'
import { Asking } from '../../../src/delivery/identity/configured.ts'
import { Identities } from '../../../src/delivery/identity/identities.ts'
import { Listener, type Received, Receiver } from '../rig.ts'

export interface Said {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string
}

export interface Served {
  readonly url: URL
  readonly received: readonly Received[]
}

/** A server that answers with what `answers` says of each request, from 1. */
export async function serve(
  t: Pick<Test, 'teardown'>,
  answers: (request: Received, count: number) => Said,
): Promise<Served> {
  const receiver = new Receiver((request, response, count) => {
    const { status, headers = {}, body = '' } = answers(request, count)
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const { origin } = await receiver.listen()
  t.teardown(() => receiver.close())
  return { url: new URL(origin), received: receiver.received }
}

/** Asks over real sockets, as a configured identity does. */
export function asking(t: Pick<Test, 'teardown'>): Ask {
  const patient = { connect: 10_000, headers: 10_000, body: 10_000 }
  const delivery = { timeout: patient }
  const options = { delivery, logger: new Listener(), userAgent: 'logshipper/0.0.0-test', identities: new Identities() }
  const made = new Asking({ ...options, env: {} })
  t.teardown(() => made.end('close'))
  return privately(made.ask)
}

/** One for all tests of a file: making it takes time. */
export const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const PEM = KEY.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** One of its own, each time. */
export function directory(t: Pick<Test, 'teardown'>): string {
  const made = mkdtempSync(join(tmpdir(), 'logshipper-'))
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export const formOf = ({ body }: Received): Record<string, string> => Object.fromEntries(new URLSearchParams(body))
