/** What the image runs the product with, as its Dockerfile says: whatever is measured runs with the same. */
import { readFileSync } from 'node:fs'

export const DOCKERFILE = readFileSync(new URL('../../docker/Dockerfile', import.meta.url), 'utf8')

/** Node's options, in front of the program. */
export const FLAGS: readonly string[] = (JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(DOCKERFILE)![1]!) as string[]).filter(
  word => word.startsWith('--'),
)

/** What the memory allocator is told. */
export const ENVIRONMENT: Readonly<Record<string, string>> = Object.fromEntries(
  [...DOCKERFILE.matchAll(/\b(MALLOC_\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
)
