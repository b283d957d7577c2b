/**
 * Endpoints as people write them: a base address, or the whole one.
 *
 *     http://loki:3100                          → http://loki:3100/loki/api/v1/push
 *     https://gateway.example.com/logs          → https://gateway.example.com/logs/loki/api/v1/push
 *     http://loki:3100/loki/api/v1/push         → as it is
 *
 * Guarantees: the same rule for every backend with a path of its own; a query stays.
 */
import * as z from 'zod/mini'
import { URL_PATTERN } from '../url.ts'

/** `text` as a URL that a request can go to, or nothing. */
export function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '' ? url : undefined
}

export const endpointSchema = z.string().check(
  z.refine(text => httpUrl(text) !== undefined, { error: 'an http:// or https:// URL', abort: true }),
  z.refine(text => !httpUrl(text)?.username && !httpUrl(text)?.password, {
    error: 'a URL without credentials: give them under auth',
  }),
  z.meta({ pattern: URL_PATTERN }),
)

/** Where requests go: `wellKnownPath` (with a leading slash) below `endpoint`, unless that already ends in it. */
export function endpointUrl(endpoint: string, wellKnownPath: string): URL {
  const url = new URL(endpoint)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(wellKnownPath) ? path : path + wellKnownPath
  return url
}
