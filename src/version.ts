/** The version, from package.json, and the commit that it was built from: the bundler puts both in. */
import manifest from '../package.json' with { type: 'json' }

export const VERSION: string = manifest.version

declare const __REVISION__: string | undefined

/** `unknown` where the sources run as they are, and where they were built outside of their repository. */
export const REVISION: string = typeof __REVISION__ === 'string' ? __REVISION__ : 'unknown'
