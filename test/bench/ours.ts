/** What the bench configures us with beside peers: our defaults, with the backend and the compression that the work names. */
import { note } from './peers/peer.ts'
import type { ServerName } from './server.ts'
import { common } from './setting.ts'
import type { Work } from './works.ts'

/** Whose answers the work gets. */
export const serverFor = (work: Work): ServerName => (work === 'loki' || work === 'elasticsearch' ? work : 'http')

/** Variables of the environment. `state`: its directory. */
export function ours(work: Work, path: string, port: number, state: string): Record<string, string> {
  const server = serverFor(work)
  return {
    ...common(path, port, state),
    LOGSHIPPER_BACKEND_TYPE: server,
    LOGSHIPPER_BACKEND_ENDPOINT: `http://127.0.0.1:${port}${server === 'http' ? '/ingest' : ''}`,
    LOGSHIPPER_BACKEND_COMPRESSION: work.endsWith('gzip') ? 'gzip' : 'none',
    ...(server === 'http' && { LOGSHIPPER_BACKEND_FORMAT: 'ndjson' }),
  }
}

/** Keeps it for the list of configurations; the state directory stands in it as `common` has made it. */
export function noteOurs(work: string, environment: Readonly<Record<string, string>>, port: number): void {
  const { LOGSHIPPER_SOURCE_PATHS: path = '', LOGSHIPPER_STATE_DIR: state = '' } = environment
  let text = Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
  for (const [place, word] of [
    [path, 'FILE'],
    [state, 'DIR'],
    [`:${port}`, ':PORT'],
  ] as const)
    text = text.replaceAll(place, word)
  note(`logshipper: ${work}`, text)
}
