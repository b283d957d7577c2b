/** What the bench has done by us and by peers. */
import { block, javaBlock, jsonBlock } from './corpus.ts'

export const WORKS = ['ndjson', 'ndjson, gzip', 'loki', 'elasticsearch'] as const
/** Or lines as NDJSON, with what is done with them on the way. */
export type Work = (typeof WORKS)[number] | ProcessingName

export interface Processing {
  readonly name: string
  readonly lines: (size: number) => Buffer
  /** What the source says, as variables of the environment. */
  readonly options: Readonly<Record<string, string>>
}

/** Peers do the same (peers.ts), but for redaction, which none of them has. */
export const PROCESSING = [
  {
    name: 'java, 4 steps',
    lines: javaBlock,
    options: {
      LOGSHIPPER_SOURCE_MULTILINE: 'java',
      LOGSHIPPER_SOURCE_REDACT: 'secrets',
      LOGSHIPPER_SOURCE_TIME: 'auto',
      LOGSHIPPER_SOURCE_LEVEL: 'text',
    },
  },
  { name: 'nginx, fields', lines: block, options: { LOGSHIPPER_SOURCE_PARSE: 'nginx' } },
  { name: 'json, fields', lines: jsonBlock, options: { LOGSHIPPER_SOURCE_PARSE: 'json' } },
  { name: 'java, filter', lines: javaBlock, options: { LOGSHIPPER_SOURCE_FILTER_DROP: '["GET /healthz"]' } },
] as const satisfies readonly Processing[]
export type ProcessingName = (typeof PROCESSING)[number]['name']
