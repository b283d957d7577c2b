/** Programs that once found something, by the name of what they found. */
import type { Program } from './program.ts'

export const REGRESSIONS: readonly Program[] = []
