import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ourUser } from '../../../src/private.ts'
import { liesAmong, sharedPlace } from '../../../src/tail/state/shared.ts'
import { scratch } from '../../scratch.ts'

const asRoot = ourUser() === 0 ? false : 'only root can give a directory to another user'

/** Two volumes as the kubelet makes them, one of them with logs. */
function volumes(t: Test) {
  const base = scratch(t, { logs: {}, state: {} })
  const [logs, state] = [join(base, 'logs'), join(base, 'state')]
  for (const root of [logs, state]) chmodSync(root, 0o2777)
  return { logs, state, mounts: ['/', logs, state] }
}

t.test('a state directory on the volume of the logs is named, with the directory that others may write to', t => {
  const { logs, mounts } = volumes(t)
  t.match(sharedPlace(join(logs, '.logshipper'), [logs], mounts), {
    path: logs,
    found: /^a directory of user \d+, mode 02777$/,
  })
  mkdirSync(join(logs, 'app'))
  t.match(sharedPlace(join(logs, 'state', 'of', 'ours'), [join(logs, 'app')], mounts), { path: logs })
  t.end()
})

t.test('on a volume of its own, or below directories that no other user may write to, it is not', t => {
  const { logs, state, mounts } = volumes(t)
  t.equal(sharedPlace(join(state, 'logshipper'), [logs], mounts), undefined)
  chmodSync(logs, 0o755)
  t.equal(sharedPlace(join(logs, '.logshipper'), [logs], mounts), undefined)
  chmodSync(logs, 0o1777)
  t.equal(sharedPlace(join(logs, '.logshipper'), [logs], mounts), undefined, 'in a sticky one no other user renames it')
  t.end()
})

t.test('a directory of the application’s user is one that others may write to', { skip: asRoot }, t => {
  const { logs, mounts } = volumes(t)
  chmodSync(logs, 0o755)
  chownSync(logs, 1000, 1000)
  t.match(sharedPlace(join(logs, '.logshipper'), [logs], mounts), {
    path: logs,
    found: 'a directory of user 1000, mode 0755',
  })
  t.end()
})

t.test('what lies on the mount of the logs takes its room, and nothing else does', t => {
  const mounts = ['/', '/var/log/app', '/var/lib/logshipper']
  t.ok(liesAmong('/var/log/app/.logshipper', ['/var/log/app/web'], mounts))
  t.notOk(liesAmong('/var/lib/logshipper/state', ['/var/log/app'], mounts))
  t.notOk(liesAmong('/var/log/application', ['/var/log/app'], mounts))
  t.end()
})
