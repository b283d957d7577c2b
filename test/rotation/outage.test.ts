/**
 * Outages that last over several rotations, with more than a mebibyte that waits: all of it comes from where it lies
 * now, the oldest first, and what cannot be read any more is counted.
 */
import t from 'tap'
import { faults } from './faults.ts'
import { LONG, matrix } from './matrix.ts'
import { copying, destroying, renaming } from './moves.ts'

const { peace, outage, down, downInOutage, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

// Three of these are more than a mebibyte.
const LINES = LONG ? 20_000 : 3600
const ended = [downInOutage('SIGKILL', 1), ...(LONG ? [downInOutage('SIGTERM', 2)] : [])]
const lasting = LONG ? [outage(2), outage(3), outage(4)] : [outage(3)]

t.test('much', async t => matrix(t, [...renaming, ...copying, ...destroying], [...lasting, ...ended], LINES))
t.test('a few lines', async t => matrix(t, copying, [peace, outage(4), still(1), down('SIGTERM', 2)], 40))
