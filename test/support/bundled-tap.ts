/**
 * Loaded before each test of `npm test`: a test's `import 'tap'` gets the one file that test/run.ts has made of tap.
 * A test that is run by itself takes tap as it is installed.
 */
import { registerHooks } from 'node:module'

const url = new URL('../../.tap/node_modules/@tapjs/bundled.mjs', import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) => (specifier === 'tap' ? { url, shortCircuit: true } : next(specifier, context)),
})
