/** What the documentation tells Helm to do with the charts of the repository, Helm does. */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commandsOf, DOCUMENTS, wordsOf } from '../docs/documents.ts'
import { scratch } from '../scratch.ts'
import { charts, helm, helmWith, withoutHelm } from './helm.ts'
import { ROOT } from './render.ts'

const skip = withoutHelm() ?? false
const blocks = DOCUMENTS.flatMap(({ blocks }) => blocks)

t.test('every helm template of a chart here renders', { skip }, t => {
  const cwd = scratch(t, {})
  cpSync(join(ROOT, 'k8s'), join(cwd, 'k8s'), { recursive: true })
  t.equal(helmWith({ cwd }, 'dependency', 'build', '--skip-refresh', 'k8s/charts/example').status, 0)
  const commands = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(block => commandsOf(block))
    .filter(command => /^helm template \S+ k8s\/charts\//.test(command))
  t.ok(commands.length >= 4)
  for (const command of new Set(commands)) {
    const { status, stdout, stderr } = helmWith({ cwd }, ...wordsOf(command).slice(1))
    t.equal(status, 0, `${command}: ${stderr}`)
    t.match(stdout, 'apiVersion:', command)
  }
  t.end()
})

t.test('the values that are shown render', { skip }, t => {
  const directory = charts()
  const file = join(directory, 'values.yaml')
  let seen = 0
  for (const { at, text } of blocks) {
    const [first] = text.split('\n')
    const chart = { '# values.yaml': 'example', '# values.yaml of logshipper-injector': 'logshipper-injector' }[first!]
    if (chart === undefined) continue
    seen++
    writeFileSync(file, text)
    const cluster = ['--kube-version', '1.36.0']
    const { status, stderr } = helm('template', 'web', join(directory, chart), ...cluster, '--values', file)
    t.equal(status, 0, `${at}: ${stderr}`)
  }
  t.ok(seen >= 4)
  t.end()
})
