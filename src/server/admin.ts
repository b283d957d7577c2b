/**
 * The admin port: what a person asks through `kubectl port-forward`. It shows paths, so it binds to loopback, and it
 * answers only to loopback's names: a web page elsewhere cannot reach it by pointing its own name here.
 */
import type { Handler } from './listen.ts'
import { json, text } from './listen.ts'
import { PAGE } from './page.ts'
import type { Subject } from './subject.ts'

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i

export function admin(subject: Subject): Handler {
  return (request, { pathname }) => {
    if (!LOOPBACK.test(request.headers.host ?? '') && isLoopback(request.socket.localAddress)) {
      return text(403, 'this port answers to localhost only')
    }
    switch (pathname) {
      case '/':
        return { status: 200, type: 'text/html; charset=utf-8', body: PAGE }
      case '/status':
        return json(200, status(subject))
      case '/ledger':
        return json(200, subject.ledger())
      default:
        return text(404, 'there are / /status /ledger')
    }
  }
}

/** Everything the status page shows, in one answer. */
export function status(subject: Subject) {
  return {
    at: new Date().toISOString(),
    draining: subject.draining,
    health: subject.health(),
    pipelines: subject.pipelines(),
    ledger: subject.ledger(),
    // Enough to see; a folder with a million files must not become an answer of a gigabyte.
    files: subject.files().slice(0, 1000),
    refused: subject.refused().slice(0, 100),
  }
}

export type Status = ReturnType<typeof status>

function isLoopback(address: string | undefined): boolean {
  return address === undefined || address === '::1' || address.replace(/^::ffff:/, '').startsWith('127.')
}
