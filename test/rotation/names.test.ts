/**
 * Files that carried the followed name while nobody looked, or that were compressed meanwhile: found whatever their
 * names are now.
 */
import t from 'tap'
import { faults } from './faults.ts'
import { renamed } from './names.ts'
import { LONG, matrix } from './rig.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const lines = LONG ? 2000 : 50

t.test('renamed', async t => {
  matrix(t, renamed('plain'), [peace, outage(3), still(2), down('SIGTERM', 2), down('SIGKILL', 2)], lines)
})

for (const packing of ['gzip', 'zstd'] as const) {
  t.test(`renamed and compressed with ${packing}`, async t => {
    matrix(t, renamed(packing), [still(2), down('SIGTERM', 1), down('SIGTERM', 2)], lines)
  })
}
