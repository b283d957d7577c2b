/**
 * `npm run torture:processing`: random programs against the stage between reading and delivery of the real shipper:
 * records of several lines, in pieces, among rotations, deaths, reloads and refusals.
 *
 *     node test/torture/processing.ts                   the fast list, about a minute; run by `npm run torture` too
 *     node test/torture/processing.ts --minutes 30      for that long, from a random seed
 *     node test/torture/processing.ts --seed 17         one seed; with --programs K: so many from there
 *     node test/torture/processing.ts --replay FILE     one program as it was printed
 *     node test/torture/processing.ts --named WORD      programs of the list whose names contain it
 *
 * More, in `driver.ts`: `--programs N`, `--parallel N` (3), `--keep`, `--no-shrink`, `--first`.
 */
import { drive } from './driver.ts'
import { NAMED } from './processing/named.ts'
import { generate } from './processing/program.ts'
import { World } from './processing/world.ts'

const failed = await drive({
  name: 'processing',
  list: { option: 'named', programs: NAMED },
  first: () => NAMED,
  generate: seed => generate(seed),
  seeds: 10,
  world: program => new World(program),
})
process.exit(failed > 0 ? 1 : 0)
