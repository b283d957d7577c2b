/** A name that the module exports twice is the last of both, and the compiler says nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const assembly = join(import.meta.dirname, '../../src/kernel/assembly')

for (const entry of ['index.ts', 'deflate/index.ts']) {
  t.test(`no name is exported twice by ${entry}`, async t => {
    const text = readFileSync(join(assembly, entry), 'utf8')
    const lists = [...text.matchAll(/^export \{([^}]*)\}/gm)].map(([, list]) => list!)
    const whole = [...text.matchAll(/^export \* from '(.*)'/gm)].flatMap(([, file]) =>
      [...readFileSync(join(assembly, entry, '..', `${file}.ts`), 'utf8').matchAll(/^export \w+ (\w+)/gm)].map(
        ([, name]) => name!,
      ),
    )
    const names = lists.flatMap(list => list.split(',').map(name => name.trim().split(' as ').at(-1)!)).filter(Boolean)
    const all = [...names, ...whole]
    t.ok(all.length > 4)
    t.strictSame(
      all.filter((name, index) => all.indexOf(name) !== index),
      [],
    )
  })
}
