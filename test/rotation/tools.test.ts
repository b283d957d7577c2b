/** Loggers and rotation tools other than logrotate, each under each fault. */
import t from 'tap'
import { faults } from './faults.ts'
import { loggers } from './loggers.ts'
import { LONG, matrix } from './matrix.ts'
import { tools } from './tools.ts'

const { peace, outage, down, still } = faults

t.setTimeout(LONG ? 1_800_000 : 170_000)

const more = LONG ? [still(2), down('SIGKILL', 1)] : []
const struck = [peace, outage(3), down('SIGTERM', 2), ...more]

matrix(t, [...tools, ...loggers], struck, LONG ? 4000 : 60)
