/** logrotate in its configurations, under each fault: nothing is missing, nothing comes twice, and the order is kept. */
import t from 'tap'
import { faults } from './faults.ts'
import { logrotate } from './logrotate.ts'
import { LONG, matrix } from './rig.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const struck = [peace, outage(3), still(1), down('SIGTERM', 2), down('SIGKILL', 1)]

matrix(t, logrotate, struck, LONG ? 4000 : 60)
