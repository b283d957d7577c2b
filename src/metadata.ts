/**
 * Where we run, as the Downward API tells it: what records and labels say of their pod.
 *
 * Values come from the configuration, mostly by environment variables; the pod's labels and annotations from the files
 * of a `downwardAPI` volume, which the kubelet changes while we run. They are read again when they are asked for, at most
 * every ten seconds, and a new object takes the old one's place only if something changed: identity tells.
 *
 * Guarantees: a value is a fact that was given to us, never a guess; what was not given is `undefined`, and is left out of
 * records. A file that cannot be read leaves what was known before. Pods may have 256 KiB of annotations: what stands in
 * every record is bounded, so that a record is never larger for its pod than for its line, and its template has room.
 */
import { readFileSync } from 'node:fs'
import * as z from 'zod/mini'
import { headOf } from './head.ts'
import { ABSOLUTE_PATH } from './path.ts'

export interface Metadata {
  readonly namespace?: string | undefined
  readonly pod?: string | undefined
  readonly podUid?: string | undefined
  readonly node?: string | undefined
  readonly serviceAccount?: string | undefined
  /** The application's container. */
  readonly container?: string | undefined
  /** The pod's labels and annotations, those that the configuration asks for. */
  readonly podLabels: Readonly<Record<string, string>>
  readonly podAnnotations: Readonly<Record<string, string>>
}

export const NO_METADATA: Metadata = { podLabels: {}, podAnnotations: {} }

const text = z.optional(z.string())
const path = z.string().check(z.regex(ABSOLUTE_PATH, { error: 'the absolute path of a file' }))
const names = z._default(z.array(z.string().check(z.minLength(1, { error: 'a name, or *' }))), [])

export const podSchema = z.strictObject({
  namespace: text.check(z.describe('Namespace of the pod: metadata.namespace.')),
  name: text.check(z.describe('Name of the pod: metadata.name.')),
  uid: text.check(z.describe('Uid of the pod: metadata.uid.')),
  node: text.check(z.describe('Name of the node: spec.nodeName.')),
  serviceAccount: text.check(z.describe('Service account of the pod: spec.serviceAccountName.')),
  container: text.check(z.describe('The application’s container, as records should name it.')),
  labelsFile: z
    ._default(path, '/etc/podinfo/labels')
    .check(z.describe('metadata.labels of a downwardAPI volume; changes are followed.')),
  annotationsFile: z
    ._default(path, '/etc/podinfo/annotations')
    .check(z.describe('metadata.annotations of a downwardAPI volume; changes are followed.')),
  labels: names.check(z.describe('Pod labels that records get, by name; * takes all.')),
  annotations: names.check(z.describe('Pod annotations that records get, by name; * takes all.')),
})

export type PodOptions = z.infer<typeof podSchema>

/** Bytes of one label or annotation, and of all together as they stand in JSON. */
const MOST_VALUE = 4096
const MOST = 32 * 1024

/** Milliseconds. The kubelet itself takes up to a minute to change the files. */
const LOOK_AGAIN = 10_000

export class PodMetadata {
  readonly #options: PodOptions
  #metadata: Metadata
  #looked = Number.NEGATIVE_INFINITY
  #seen: string | undefined

  constructor(options: PodOptions) {
    this.#options = options
    const { namespace, name, uid, node, serviceAccount, container } = options
    const given = { namespace, pod: name, podUid: uid, node, serviceAccount, container }
    const known = Object.entries(given).filter(([, value]) => value)
    this.#metadata = { ...Object.fromEntries(known), podLabels: {}, podAnnotations: {} }
  }

  get metadata(): Metadata {
    const { labels, annotations, labelsFile, annotationsFile } = this.#options
    const now = performance.now()
    if ((labels.length > 0 || annotations.length > 0) && now - this.#looked >= LOOK_AGAIN) {
      this.#looked = now
      const room = { left: MOST }
      const podLabels = labels.length > 0 ? read(labelsFile, labels, room) : {}
      const podAnnotations = annotations.length > 0 ? read(annotationsFile, annotations, room) : {}
      const seen = JSON.stringify([podLabels, podAnnotations])
      if (podLabels && podAnnotations && seen !== this.#seen) {
        this.#seen = seen
        this.#metadata = { ...this.#metadata, podLabels, podAnnotations }
      }
    }
    return this.#metadata
  }
}

/** Those that are wanted, as far as there is room: what one of them does not find, a shorter one behind it may. */
function read(file: string, wanted: readonly string[], room: { left: number }): Record<string, string> | undefined {
  let all: Map<string, string>
  try {
    all = parsePodInfo(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
  const fitting: [name: string, value: string][] = []
  for (const [name, whole] of all) {
    if (!wanted.includes('*') && !wanted.includes(name)) continue
    const value = headOf(whole, MOST_VALUE)
    const need = Buffer.byteLength(JSON.stringify({ [name]: value }))
    if (need > room.left) continue
    room.left -= need
    fitting.push([name, value])
  }
  return Object.fromEntries(fitting)
}

/**
 * A file of the Downward API: one `name="value"` per line, the value quoted as a Go string (Kubernetes, `fieldpath.FormatMap`).
 * Lines that are none are left out.
 */
export function parsePodInfo(text: string): Map<string, string> {
  const all = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, quoted] = /^([^=]+)=(".*")$/.exec(line) ?? []
    if (name === undefined || quoted === undefined) continue
    // Go's escapes beyond JSON's: \a \v \xHH \UHHHHHHHH.
    const json = quoted
      .replace(/\\(?:a|v|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|.)/g, sequence => {
        if (sequence === '\\a') return '\\u0007'
        if (sequence === '\\v') return '\\u000b'
        if (sequence.startsWith('\\x')) return `\\u00${sequence.slice(2)}`
        if (sequence.startsWith('\\U'))
          return JSON.stringify(String.fromCodePoint(Number.parseInt(sequence.slice(2), 16))).slice(1, -1)
        return sequence
      })
      .replaceAll('\t', '\\t')
    try {
      all.set(name, JSON.parse(json))
    } catch {
      // Not a line that the kubelet writes.
    }
  }
  return all
}
