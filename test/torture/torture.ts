/**
 * `npm run torture`: random file-system programs against the real shipper.
 *
 *     node test/torture/torture.ts                      the fast list, two to three minutes, and that of processing.ts
 *     node test/torture/torture.ts --minutes 30         for that long, from a random seed
 *     node test/torture/torture.ts --seed 17            one seed; with --programs K: so many from there
 *     node test/torture/torture.ts --replay FILE        one program as it was printed
 *     node test/torture/torture.ts --regression WORD    programs of the list whose names contain it
 *
 * More, in `driver.ts`: `--programs N`, `--parallel N` (3), `--keep`, `--no-shrink`, `--first`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { drive } from './driver.ts'
import { generate, generatePowerCuts, type Scale } from './program.ts'
import { REGRESSIONS, SLOW_REGRESSIONS } from './regressions.ts'
import { mebibytes } from './rig.ts'
import { World } from './world.ts'

const FAST: Scale = { block: 3 << 20, actions: 40 }
const LONG: Scale = { block: 100 << 20, actions: 80 }
/** Minutes from which on programs are long. */
const LONG_FROM = 5
/** In one of so many seeds the power is cut. */
const POWER_CUTS = 10
const PROCESSING = join(import.meta.dirname, 'processing.ts')

const isLong = (minutes = 0): boolean => minutes >= LONG_FROM
const reasons: Record<string, number> = {}
const peak = { resident: 0, anonymous: 0 }

const failed = await drive({
  name: 'torture',
  list: { option: 'regression', programs: [...REGRESSIONS, ...SLOW_REGRESSIONS] },
  first: minutes => (isLong(minutes) ? [...REGRESSIONS, ...SLOW_REGRESSIONS] : REGRESSIONS),
  generate: (seed, minutes) =>
    seed % POWER_CUTS === 0 ? generatePowerCuts(seed) : generate(seed, isLong(minutes) ? LONG : FAST),
  seeds: 30,
  world: program => new World(program),
  remark: ({ pattern }) => ` (${pattern})`,
  counted: outcome => {
    for (const [why, lines] of Object.entries(outcome.reasons)) reasons[why] = (reasons[why] ?? 0) + lines
    peak.resident = Math.max(peak.resident, outcome.peak.resident)
    peak.anonymous = Math.max(peak.anonymous, outcome.peak.anonymous)
  },
})
const excused = Object.entries(reasons).map(([why, lines]) => `${why} ${lines}`)
console.log(`excused: ${excused.join(', ') || 'none'}`)
console.log(
  `most memory of any process: ${mebibytes(peak.anonymous)} MiB anonymous, ${mebibytes(peak.resident)} MiB resident`,
)
// Without arguments the stage between reading and delivery has its turn.
const more = process.argv.length === 2 ? spawnSync(process.execPath, [PROCESSING], { stdio: 'inherit' }).status : 0
process.exit(failed > 0 || more !== 0 ? 1 : 0)
