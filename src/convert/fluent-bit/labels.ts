/** Labels of the output loki of Fluent Bit, and how it names values of a record. */
import { type BackendTree, labelled } from '../backends.ts'
import { made } from '../made.ts'
import type { Setting } from '../setting.ts'
import type { SourceDraft } from '../source.ts'

/** Values that are listed: `$a['b'], c`. */
export function keyList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map(each => pathOf(each.trim()))
    .filter(each => each !== '')
}

/** `$a['b']`: `a.b` */
function pathOf(accessor: string): string {
  return accessor.replace(/^\$/, '').replaceAll(/\['([^']*)'\]/g, '.$1')
}

/** What the kubernetes filter finds, and what ours calls it. */
const OF_POD: Readonly<Record<string, string>> = {
  'kubernetes.namespace_name': 'namespace',
  'kubernetes.pod_name': 'pod',
  'kubernetes.container_name': 'container',
  'kubernetes.host': 'node',
}

/** Labels of streams: what is constant is of the sources, what is a value of the backend. */
export function lokiLabels(section: Setting, tree: BackendTree, sources: readonly SourceDraft[]): undefined {
  const names: string[] = []
  const values: unknown[] = []
  const setting = section.at('labels')
  const text = setting?.text()
  const labelOf = (path: string, as: string | undefined): void => {
    if (OF_POD[path] !== undefined) names.push(OF_POD[path])
    else if (path === 'level' && (as ?? path) === 'level') values.push('level')
    else values.push({ field: path, ...(as === undefined || as === path ? {} : { as }) })
  }
  for (const each of (text ?? 'job=fluent-bit').split(',')) {
    const [, name, value = ''] = /^\s*([^=\s]+)\s*(?:=\s*(.*?))?\s*$/.exec(each) ?? []
    if (name === undefined) continue
    const path =
      value.startsWith('$') && !value.startsWith('${') ? pathOf(value) : name.startsWith('$') ? pathOf(name) : undefined
    const as = name.startsWith('$') ? undefined : name
    if (path === undefined) {
      labelled(sources, name, value, setting ?? section)
      names.push(name)
    } else labelOf(path, as)
  }
  const keys = section.at('label_keys')
  for (const path of keyList(keys?.raw())) labelOf(path, undefined)
  if (values.length > 0) tree['labels'] = made(['source', ...new Set(names), ...values], keys ?? setting!)
}
