/**
 * Loaded before each test of `npm test`: who imports one of these packages gets the one file that test/run.ts has made
 * of it. A test that is run by itself takes them as they are installed. Properties have a seed (seeded.ts).
 */
import { registerHooks } from 'node:module'

/** Those of very many modules. A package in CommonJS would lose the names of its exports. */
export const BUNDLED = ['tap', 'zod']

const urls = new Map(
  BUNDLED.map(name => [name, new URL(`../../.tap/node_modules/@tapjs/${name}.mjs`, import.meta.url).href]),
)
process.env['PROPERTY_SEED'] ??= '1'
const seeded = new URL('./seeded.ts', import.meta.url).href
registerHooks({
  resolve(specifier, context, next) {
    const url = specifier === 'fast-check' && context.parentURL !== seeded ? seeded : urls.get(specifier)
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
  },
})
