/**
 * What the module exports: its loops, the template they follow, and three results.
 *
 * This folder is AssemblyScript: it looks like TypeScript and compiles to WebAssembly (src/kernel/build.ts). There are
 * no objects and no garbage here, only numbers and one linear memory, whose first page is ours (see layout.ts) and whose
 * rest belongs to the caller.
 *
 * Two rules hold for every loop. Reading may run up to 15 bytes past the last byte asked for, since it goes in steps
 * of 16: the memory ends in a page that nobody uses. Writing never touches the byte at `limit` or any behind it:
 * something else may lie there.
 */
import { prepare } from './escape'

export { consumed, decode, lineEnds, mended } from './decode'
export { frames, padded } from './frames'
export { end, follow, oversize, render, repaired } from './render'
export { PROGRAM, ROOM_END } from './layout'

prepare()
