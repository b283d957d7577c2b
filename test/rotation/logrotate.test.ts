/** logrotate in its configurations, under each fault: nothing is missing, nothing comes twice, and the order is kept. */
import t from 'tap'
import { faults } from './faults.ts'
import { logrotate } from './logrotate.ts'
import { LONG, matrix } from './matrix.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const more = LONG ? [still(1), still(2), down('SIGTERM', 1), down('SIGTERM', 3)] : []
const struck = [peace, outage(3), down('SIGKILL', 2), ...more]

matrix(t, logrotate, struck, LONG ? 4000 : 60)
