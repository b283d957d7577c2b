/**
 * fast-check as the tests of `npm test` get it: every property begins from one seed, so that a run says the same of the
 * same sources. `PROPERTY_SEED` has another one, or `random`. A test that is run by itself takes a new one each time.
 */
import fc from 'fast-check'

const { PROPERTY_SEED: given = 'random' } = process.env
if (given !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given) })

export * from 'fast-check'
export { default } from 'fast-check'
