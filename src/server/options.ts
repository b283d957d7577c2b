/** What can be said about the two listeners. */
import * as z from 'zod/mini'
import { ADDRESS_PATTERN } from '../url.ts'

/** Where the admin listener binds. */
export interface Address {
  readonly host: string
  readonly port: number
}

export interface ServerOptions {
  /** Port of the probes and metrics, on all interfaces; 0 takes any free one; `null` is off. */
  readonly port: number | null
  /** `null` is off. */
  readonly admin: Address | null
  /** Whether the admin port shows records. */
  readonly tap: boolean
}

const PORT = 'a port from 0 to 65535 (0 takes any free one), or off'
const ADDRESS = 'host:port, such as 127.0.0.1:9615 or [::1]:9615, or off'

/** `host:port` with the brackets of IPv6 taken off, or `undefined`. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  return match && port <= 65535 ? { host: (match[1] ?? match[2])!, port } : undefined
}

export const serverSchema = z.strictObject({
  port: z
    .prefault(
      z.pipe(
        z.union([z.number(), z.literal('off'), z.literal(false), z.null()], { error: PORT }),
        z.transform((value, context): number | null => {
          if (typeof value !== 'number') return null
          if (Number.isInteger(value) && value >= 0 && value <= 65535) return value
          context.issues.push({ code: 'custom', message: PORT, input: value })
          return z.NEVER
        }),
      ),
      9614,
    )
    .check(z.describe('Port of probes and metrics, on all interfaces. 0: any free one. off: no listener.')),
  admin: z
    .prefault(
      z.pipe(
        z.union([z.string(), z.literal(false), z.null()], { error: ADDRESS }),
        z.transform((value, context): Address | null => {
          if (typeof value !== 'string' || value === 'off') return null
          const address = parseAddress(value)
          if (address) return address
          context.issues.push({ code: 'custom', message: ADDRESS, input: value })
          return z.NEVER
        }),
      ),
      '127.0.0.1:9615',
    )
    .check(z.meta({ pattern: ADDRESS_PATTERN }), z.describe('host:port of the status page. off: no listener.')),
  tap: z
    ._default(z.boolean(), true)
    .check(
      z.describe(
        'Whether the admin port shows records as they are sent, after redaction (logshipper tap). To loopback only.',
      ),
    ),
})
