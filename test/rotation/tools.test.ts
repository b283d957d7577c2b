/** Loggers and rotation tools other than logrotate, each under each fault. */
import t from 'tap'
import { faults } from './faults.ts'
import { loggers } from './loggers.ts'
import { LONG, matrix } from './rig.ts'
import { tools } from './tools.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const struck = [peace, outage(3), still(2), down('SIGTERM', 2), ...(LONG ? [down('SIGKILL', 1)] : [])]

matrix(t, [...tools, ...loggers], struck, LONG ? 4000 : 60)
