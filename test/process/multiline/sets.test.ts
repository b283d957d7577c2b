import t from 'tap'
import { compileEvery } from '../../../src/process/expression/compile.ts'
import { setOf } from '../../../src/process/multiline/compile.ts'
import { PRESETS } from '../../../src/process/multiline/options.ts'
import { MACHINES } from '../../../src/process/multiline/presets.ts'

t.test('the automaton of each preset is that of its expressions: npm run presets writes it', async t => {
  for (const name of PRESETS) {
    const compiled = compileEvery(Object.values(MACHINES[name].expressions))
    t.ok(Buffer.compare(setOf(name), compiled as Uint8Array) === 0, name)
  }
})
