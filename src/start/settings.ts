/**
 * What Node and the memory allocator are told: the same as in the image, where docker/Dockerfile says why. What is
 * given already stays as it is given.
 */

/** Node's options, in front of the program. */
export const FLAGS = [
  '--disable-sigusr1',
  '--no-addons',
  '--disable-proto=delete',
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
  '--no-concurrent-recompilation',
] as const

/** Read once, when a process begins. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '32768',
}

/** Options that say the same in another way, by what they stand for. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  'max-old-space-size': ['max-old-space-size-percentage', 'max-heap-size'],
}

/** Of `FLAGS` those that none of the options speaks of. */
export function missingFlags(options: readonly string[]): string[] {
  const given = new Set(options.map(nameOf))
  return FLAGS.filter(flag => {
    const name = nameOf(flag)
    return ![name, ...(ALSO[name] ?? [])].some(each => given.has(each))
  })
}

/** Of `ENVIRONMENT` what the environment does not have. */
export function missingEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(ENVIRONMENT).filter(([name]) => env[name] === undefined))
}

/** An option without what it is set to: V8 takes hyphens for underscores, and `no` in front of either. */
function nameOf(option: string): string {
  const [name] = option.replace(/^--/, '').split('=')
  return name!.replaceAll('_', '-').replace(/^no-/, '')
}
