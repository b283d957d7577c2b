/** So many names that there is no memory for them: the program, under the image's flags, lives and ships what it can. */
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../program.ts'
import { Pod, skip } from './pod.ts'

t.test('six thousand files whose paths are nearly as long as the kernel takes', { skip }, async t => {
  const pod = await Pod.start(t)
  const made = pod.program(`
    const fs = require('node:fs')
    process.umask(0)
    for (let n = 0; n < 14; n++) {
      const name = String(n).padEnd(240, 'd')
      fs.mkdirSync(name)
      process.chdir(name)
    }
    for (let n = 0; n < 6000; n++) fs.writeFileSync('f' + n + '.log', 'line ' + n + '\\n')`)
  t.equal((await once(made, 'exit'))[0], 0)
  pod.application('echo beside > app.log')
  const shipper = await pod.shipper(join(pod.logs, '**/*.log'))
  t.ok(await pod.came('beside'))
  t.ok(await until(() => /"file_limit"/.test(shipper.said)), 'what waits is said')
  pod.application('echo more >> app.log')
  t.ok(await pod.came('more'))
  t.notOk(shipper.over)
  t.not(await shipper.end(), 'SIGABRT')
})
