import t from 'tap'
import { ENVIRONMENT, FLAGS, missingEnvironment, missingFlags } from '../../src/start/settings.ts'
import * as image from '../support/image.ts'

t.test('outside of the image Node and the allocator are told what they are told in it', t => {
  t.strictSame(FLAGS, image.FLAGS)
  const { UV_THREADPOOL_SIZE: threads, ...allocator } = ENVIRONMENT
  t.strictSame(allocator, image.ENVIRONMENT)
  t.ok(image.DOCKERFILE.includes(` UV_THREADPOOL_SIZE=${threads} `))
  t.end()
})

t.test('what is given stays as it is given, however it is written', t => {
  t.strictSame(missingFlags([]), FLAGS)
  t.strictSame(missingFlags(FLAGS), [])
  const without = (...flags: string[]) => FLAGS.filter(flag => !flags.includes(flag))
  for (const [given, flag] of [
    ['--max-old-space-size=512', '--max-old-space-size=64'],
    ['--max_old_space_size=512', '--max-old-space-size=64'],
    ['--max-heap-size=512', '--max-old-space-size=64'],
    ['--max-old-space-size-percentage=50', '--max-old-space-size=64'],
    ['--concurrent-recompilation', '--no-concurrent-recompilation'],
    ['--no_concurrent_recompilation', '--no-concurrent-recompilation'],
    ['--disable-proto=throw', '--disable-proto=delete'],
    ['--addons', '--no-addons'],
  ] as const) {
    t.strictSame(missingFlags([given]), without(flag), given)
  }
  t.strictSame(missingFlags(['', '--import', './x.js', 'max-old-space-size']), without('--max-old-space-size=64'))
  t.strictSame(missingEnvironment({}), ENVIRONMENT)
  t.strictSame(missingEnvironment({ ...ENVIRONMENT, MALLOC_ARENA_MAX: '' }), {}, 'empty is given too')
  const { MALLOC_ARENA_MAX: _, ...others } = ENVIRONMENT
  t.strictSame(missingEnvironment({ MALLOC_ARENA_MAX: '4', PATH: '/bin' }), others)
  t.end()
})
