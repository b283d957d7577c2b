/** Where an output of Fluent Bit sends to. */
import type { Setting } from '../setting.ts'

/** Scheme, host and port. */
export function address(section: Setting, port: number, path = ''): string {
  const secure = section.at('tls')?.flag() ?? false
  const host = section.at('host')?.text() ?? '127.0.0.1'
  const number = section.at('port')?.text() ?? String(port)
  return `${secure ? 'https' : 'http'}://${host}:${number}${path === '/' ? '' : path}`
}
