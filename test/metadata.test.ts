import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PodMetadata, parsePodInfo, podSchema } from '../src/metadata.ts'
import { scratch } from './scratch.ts'

t.test('files of the Downward API are read as the kubelet writes them', async t => {
  const text =
    'app="web"\napp.kubernetes.io/name="a \\"quoted\\" name"\nnote="two\\nlines \\u00e9 \\x7f \\a"\nempty=""\nno line\n'
  t.same(Object.fromEntries(parsePodInfo(text)), {
    app: 'web',
    'app.kubernetes.io/name': 'a "quoted" name',
    note: 'two\nlines \u00e9 \x7f \u0007',
    empty: '',
  })
})

t.test('only what was given is known, and only the labels that were asked for', async t => {
  const directory = scratch(t, { labels: 'app="web"\nhash="7f"\n', annotations: 'secret="x"\n' })
  const options = podSchema.parse({
    name: 'web-1',
    namespace: '',
    labelsFile: join(directory, 'labels'),
    annotationsFile: join(directory, 'annotations'),
    labels: ['app'],
  })
  t.same(new PodMetadata(options).metadata, { pod: 'web-1', podLabels: { app: 'web' }, podAnnotations: {} })
})

t.test('of annotations without end records get so much that there is room for it', async t => {
  const line = (name: string, value: string) => `${name}=${JSON.stringify(value)}\n`
  const many = Array.from({ length: 40 }, (_, n) => line(`n${n}`, '\n'.repeat(2500))).join('')
  const directory = scratch(t, {
    labels: line('app', 'web'),
    annotations: `${line('large', 'é'.repeat(100_000))}${many}${line('small', 'x')}`,
  })
  const options = podSchema.parse({
    ...{ labelsFile: join(directory, 'labels'), labels: ['*'] },
    ...{ annotationsFile: join(directory, 'annotations'), annotations: ['*'] },
  })
  const { podLabels, podAnnotations } = new PodMetadata(options).metadata
  t.same(podLabels, { app: 'web' })
  t.equal(podAnnotations['large'], 'é'.repeat(2048))
  t.equal(podAnnotations['small'], 'x', 'what is small fits behind what does not')
  t.ok(Buffer.byteLength(JSON.stringify(podAnnotations)) < 33 * 1024)
  t.match(Object.keys(podAnnotations), ['large', 'n0', 'n1'])
})

t.test('a volume that is swapped is noticed; one that is away for a moment changes nothing', async t => {
  const directory = scratch(t, { one: { labels: 'app="web"\n' }, two: { labels: 'app="shop"\n' } })
  symlinkSync('one', join(directory, '..data'))
  const options = podSchema.parse({ labelsFile: join(directory, '..data/labels'), labels: ['*'] })
  const now = t.capture(performance, 'now', () => clock)
  let clock = 0
  const pod = new PodMetadata(options)
  const before = pod.metadata
  t.same(before.podLabels, { app: 'web' })
  renameSync(join(directory, 'one'), join(directory, 'away'))
  clock += 10_000
  t.equal(pod.metadata, before, 'the same object')
  mkdirSync(join(directory, 'one'))
  writeFileSync(join(directory, 'one/labels'), 'app="shop"\n')
  t.equal(pod.metadata, before, 'not looked at yet')
  clock += 10_000
  t.same(pod.metadata.podLabels, { app: 'shop' })
  t.ok(now().length > 0)
})
