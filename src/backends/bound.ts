/** How many there may be: a bound on what values of records make at a backend. */
import * as z from 'zod/mini'

const MOST = 1000
const ALLOWED = `a whole number from 1 to ${MOST}`

export const bound = z
  .int({ error: ALLOWED })
  .check(z.minimum(1, { error: ALLOWED }), z.maximum(MOST, { error: ALLOWED }))
