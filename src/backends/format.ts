/**
 * The ways in which records mostly stand in a payload, and what is said of a backend that sets no limits.
 */
import type { Format, Limits } from './backend.ts'

export const NOTHING = Buffer.alloc(0)
export const LINE_FEED = Buffer.from('\n')

/** A record per line, the last one included. */
export function perLine(contentType: string, treatment: Format['treatment'] = 'text'): Format {
  return { contentType, prefix: NOTHING, separator: LINE_FEED, suffix: LINE_FEED, treatment }
}

/** A JSON array of records, or of groups of them; `open` and `close` stand around all. */
export function jsonArray({ open = '[', close = ']', groups = false } = {}): Format {
  const comma = Buffer.from(',')
  return {
    contentType: 'application/json',
    prefix: Buffer.from(open),
    separator: comma,
    suffix: Buffer.from(close),
    ...(groups && { groupSeparator: comma }),
    treatment: 'text',
  }
}

export const NO_LIMITS: Limits = { payloadBytes: Number.MAX_SAFE_INTEGER, records: Number.MAX_SAFE_INTEGER }
