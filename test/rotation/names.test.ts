/**
 * Files that carried the followed name between two looks, or that were compressed meanwhile: found whatever their
 * names are now.
 */
import t from 'tap'
import { faults } from './faults.ts'
import { LONG, matrix } from './matrix.ts'
import { renamed } from './names.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const lines = LONG ? 2000 : 50

const unseen = [still(2), down('SIGTERM', 2)]
const more = [peace, outage(3), still(1), down('SIGTERM', 1), down('SIGKILL', 2)]
const all = LONG ? [...unseen, ...more] : unseen

t.test('renamed', async t => matrix(t, renamed('plain'), all, lines))
t.test('renamed and compressed with gzip', async t => matrix(t, renamed('gzip'), all, lines))
t.test('renamed and compressed with zstd', async t => matrix(t, renamed('zstd'), LONG ? all : unseen.slice(1), lines))
