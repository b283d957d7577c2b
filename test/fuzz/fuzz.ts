/**
 * `node test/fuzz/fuzz.ts`: bytes that an attacker can write, tried on the part of the program that takes them.
 *
 *     node test/fuzz/fuzz.ts                          every target, 20 s each, from a seed that is printed
 *     node test/fuzz/fuzz.ts judges --seconds 600     one of them, for ten minutes
 *     node test/fuzz/fuzz.ts --seed 7 --inputs 5000   so many inputs, the same ones each time
 *     node test/fuzz/fuzz.ts judges --replay FILE     one input
 *     node test/fuzz/fuzz.ts judges --grow            keeps what reaches something new in the corpus
 *
 * An input that reaches code which none before had reached is kept and changed further. What fails is made as small as
 * it can be and written to a file. Ends with 1 if anything failed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { corpusOf, type Found, fuzz, TARGETS } from './search.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    replay: { type: 'string' },
    grow: { type: 'boolean', default: false },
  },
})

const names = positionals.length > 0 ? positionals : Object.keys(TARGETS)
const unknown = names.filter(name => TARGETS[name] === undefined)
if (unknown.length > 0) {
  console.log(`no target: ${unknown.join(', ')}; there are ${Object.keys(TARGETS).join(', ')}`)
  process.exit(2)
}

let failed = 0

function tell(name: string, { input, error }: Found): void {
  failed++
  const path = join(tmpdir(), `fuzz-${name}-${failed}`)
  writeFileSync(path, input)
  console.log(`✗ ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  console.log(`  ${input.length} bytes: ${JSON.stringify(input.subarray(0, 300).toString('latin1'))}`)
  console.log(`  replay: node test/fuzz/fuzz.ts ${name} --replay ${path}`)
}

for (const name of names) {
  const target = await TARGETS[name]!()
  try {
    if (values.replay !== undefined) {
      await target.run(readFileSync(values.replay))
      console.log(`${name}: nothing is wrong with it`)
      continue
    }
    const limit = values.inputs === undefined ? { seconds: Number(values.seconds) } : { inputs: Number(values.inputs) }
    const outcome = await fuzz(target, { seed: Number(values.seed), ...limit })
    if (outcome.found) tell(name, outcome.found)
    console.log(
      `${name}: seed ${values.seed}, ${outcome.inputs} inputs, ${outcome.kept.length} kept, ${outcome.reached} blocks`,
    )
    if (values.grow) {
      mkdirSync(corpusOf(name), { recursive: true })
      for (const [n, input] of outcome.kept.entries()) writeFileSync(join(corpusOf(name), `${values.seed}-${n}`), input)
    }
  } catch (error) {
    failed++
    console.log(`✗ ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await target.close?.()
  }
}
process.exit(failed > 0 ? 1 : 0)
