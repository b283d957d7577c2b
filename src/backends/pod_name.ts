/**
 * Names of places at a backend in which the pod stands: `{namespace}/{pod}`.
 *
 * Guarantees: a name that was filled in is one that the backend takes; what is not known where the shipper runs is called
 * `unknown`, so that no name is empty and none is another one's by chance.
 */
import type { Metadata } from '../metadata.ts'

const FILLED = ['namespace', 'pod', 'podUid', 'container', 'node', 'serviceAccount'] as const

/** What may stand there, for a person. */
export const NAME = `a name of up to 400 characters in which ${FILLED.map(name => `{${name}}`).join(', ')} are filled in`

const MOST = 400
const MOST_FILLED = 512
const PLACE = /\{(\w*)\}/g

/** The text, if it is a template whose places are known, `more` among them, and whose plain parts `allowed` takes. */
export function nameTemplate(text: string, allowed: RegExp, more: readonly string[] = []): string | undefined {
  if (text.length === 0 || text.length > MOST) return undefined
  const known = [...text.matchAll(PLACE)].every(([, name]) => [...FILLED, ...more].some(one => one === name))
  const plain = text.replace(PLACE, 'x')
  return known && !/[{}\p{Cc}]/u.test(plain) && allowed.test(plain) ? text : undefined
}

/** Characters of a value that the backend does not take are `_`. Other places than the pod's stay. */
export function filledName(template: string, metadata: Metadata, allowed: RegExp): string {
  const filled = template.replace(PLACE, (place, name: (typeof FILLED)[number]) => {
    if (!FILLED.includes(name)) return place
    const value = metadata[name] || 'unknown'
    return [...value].map(sign => (allowed.test(sign) ? sign : '_')).join('')
  })
  return filled.slice(0, MOST_FILLED)
}
