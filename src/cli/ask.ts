/**
 * Asks the running shipper over its admin port. What listens there may be another program of the pod: an answer is
 * bounded in bytes and in time.
 */
import { request as open } from 'node:http'
import { codeOf } from '../errors.ts'
import { parseAddress } from '../server/options.ts'

export const DEFAULT_ADMIN = '127.0.0.1:9615'

/** Bytes and milliseconds of an answer; milliseconds without a byte of it. */
const MOST = 64 * 1024 ** 2
const LONGEST = 30_000
const SILENT = 5000

export type AdminAnswer =
  | { readonly kind: 'ok'; readonly body: string }
  | { readonly kind: 'failed'; readonly why: string }

/** `path` of the admin port at `address` (host:port). `most`: bytes. Never rejects. */
export function ask(address: string, path: string, method: 'GET' | 'POST' = 'GET', most = MOST): Promise<AdminAnswer> {
  const parsed = parseAddress(address)
  if (parsed === undefined) return Promise.resolve({ kind: 'failed', why: `${address} is not host:port` })
  const { host, port } = parsed
  return new Promise(resolve => {
    const headers = { host: `localhost:${port}` }
    const signal = AbortSignal.timeout(LONGEST)
    const options = { host, port, path, method, headers, timeout: SILENT, signal, agent: false }
    const request = open(options, response => {
      const parts: Buffer[] = []
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes <= most) parts.push(part)
        else {
          resolve({ kind: 'failed', why: `the answer of ${address} is longer than ${most} bytes` })
          response.destroy()
        }
      })
      // An answer that breaks off has neither `end` nor `error`.
      response.on('close', () => {
        if (!response.complete) resolve({ kind: 'failed', why: `the answer of ${address} was cut off` })
      })
      response.on('end', () => {
        const body = Buffer.concat(parts).toString()
        if (response.statusCode === 200) resolve({ kind: 'ok', body })
        else resolve({ kind: 'failed', why: `${address} answers ${response.statusCode}` })
      })
    })
    request.end()
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })))
    request.on('error', error => {
      const hint =
        codeOf(error) === 'ECONNREFUSED' ? '; is the shipper running, with server.admin at this address?' : ''
      resolve({ kind: 'failed', why: `cannot connect to ${address} (${codeOf(error)})${hint}` })
    })
  })
}
