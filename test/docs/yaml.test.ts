/** Every piece of YAML in the documentation is whole: a configuration that loads, or a manifest in which the doctor finds no error. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocument } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { examine } from '../../src/manifest/doctor/examine.ts'
import { readManifest } from '../../src/manifest/manifest.ts'
import { scratch } from '../scratch.ts'
import { DOCUMENTS } from './documents.ts'
import { judge } from './installs.ts'

const blocks = DOCUMENTS.flatMap(({ blocks }) => blocks).filter(({ language }) => language === 'yaml')

t.test('there are examples', t => {
  t.ok(blocks.length >= 5)
  t.end()
})

t.test('what means nothing in a chart or to a controller is told', t => {
  for (const text of [
    '# Chart.yaml\ndependencies: [{ name: logshipper, version: 0.0.0, repository: oci://ghcr.io/OWNER/charts }]',
    '# values.yaml\nlogshipper: { platfrom: openshift }',
    '# values.yaml\nlogshiper: {}',
    '# values.yaml of logshipper-injector\npolicy: { failurePolicy: Maybe }',
    '# values.yaml of ingress-nginx\ncontroller: { initContainers: [] }',
    'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: x }\nspec: { pth: x }',
  ])
    t.ok((judge(text, parseDocument(text).toJS())?.problems ?? []).length > 0, text)
  t.end()
})

for (const { at, text } of blocks) {
  t.test(at, async t => {
    const document = parseDocument(text)
    t.strictSame(document.errors, [])
    const tree = document.toJS() as { kind?: string; components?: string[]; resources?: string[] }
    const judged = judge(text, tree as Record<string, unknown>)
    if (judged !== undefined) {
      t.strictSame(judged.problems, [])
      return
    }
    if (tree.kind === 'Kustomization' || tree.components !== undefined) {
      for (const each of tree.components ?? []) t.match(each, /(^|\/)component$/)
      t.ok(tree.resources!.length > 0)
      return
    }
    if (tree.kind !== undefined) {
      const read = await readManifest(at, text)
      t.equal(read.kind, 'read', JSON.stringify(read))
      if (read.kind !== 'read') return
      const findings = examine(read.manifest, { drainSeconds: undefined })
      t.strictSame(
        findings.filter(({ severity }) => severity === 'error'),
        [],
      )
      return
    }
    const dir = scratch(t)
    mkdirSync(dir, { recursive: true })
    const file = join(dir, 'config.yaml')
    writeFileSync(file, text)
    const loaded = await loadConfig({ file, env: {}, cwd: '/' })
    t.equal(loaded.kind, 'ok', JSON.stringify(loaded))
  })
}
