/**
 * What is to be converted: a file, or a ConfigMap that holds it, with the files that lie beside it.
 *
 * In a cluster the configuration of a shipper is a ConfigMap, so that is what people have at hand: the entry that is
 * the configuration of the peer is taken, and its other entries are the files that it names.
 */
import { parseDocument, type Tree } from '../config/document.ts'
import { looksLike, type Peer } from '../config/foreign.ts'
import type { Input } from './conversion.ts'

export type { Input } from './conversion.ts'

type Beside = (name: string) => { readonly name: string; readonly text: string } | undefined

export async function inputOf(peer: Peer, file: string, text: string, beside: Beside): Promise<Input> {
  const found = /^kind:\s*ConfigMap\s*$/m.test(text) ? await withinConfigMap(peer, file, text) : undefined
  if (found !== undefined) return found
  const other = (name: string): Input | undefined => {
    const named = beside(name)
    return named && { file: named.name, text: named.text, linesBefore: 0, other }
  }
  return { file, text, linesBefore: 0, other }
}

async function withinConfigMap(peer: Peer, file: string, text: string): Promise<Input | undefined> {
  const parsed = await parseDocument(file, text)
  if (parsed.kind !== 'parsed' || typeof parsed.tree['data'] !== 'object') return undefined
  const entries = Object.entries((parsed.tree['data'] ?? {}) as Tree).filter(([, value]) => typeof value === 'string')
  const input = (name: string, content: unknown): Input => ({
    file,
    text: String(content),
    // The text begins in the line behind its key.
    linesBefore: parsed.lineOf(['data', name])?.line ?? 0,
    other,
  })
  const other = (name: string): Input | undefined => {
    const last = name.split('/').at(-1)!
    const found = entries.find(([each]) => each === last)
    return found && input(...found)
  }
  // The one that names the others is the main one: with a section of its own, or simply the first.
  const fitting = entries.filter(([, value]) => looksLike(String(value)) === peer)
  const main = fitting.find(([, value]) => /^\s*(\[SERVICE\]|service:)/im.test(String(value))) ?? fitting[0]
  return main && input(...main)
}
