/**
 * The seed of what a test draws at random: under `npm test` one and the same, so that a run says the same of the same
 * sources (`PROPERTY_SEED` has another one, or `random`); a new one each time where a test is run by itself.
 */
export function seedOf(): number {
  const { PROPERTY_SEED: given = 'random' } = process.env
  return given === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}
