/** The end of `npm test`: what was missing on this machine, and how to get it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scratch } from '../scratch.ts'
import { lines, missingIn, remedyOf } from './missing.ts'

t.test('each reason for which a test is skipped has a remedy', t => {
  const remedies: Record<string, string | undefined> = {
    'logrotate is not installed': 'apt-get install logrotate',
    'logrotate, faketime is not installed': 'apt-get install logrotate faketime',
    'svlogd is not installed': 'apt-get install runit',
    'promtool is not installed here': 'apt-get install prometheus',
    'no server: clickhouse-server is not installed': 'apt-get install clickhouse-server',
    'real programs: python3-flask, golang-go.uber-zap-dev are not installed':
      'apt-get install python3-flask golang-go.uber-zap-dev',
    'no openssl on this machine': 'apt-get install openssl',
    'there is no shellcheck on this machine': 'apt-get install shellcheck',
    'there is no ss on this machine': 'apt-get install iproute2',
    'no nginx on this machine': 'apt-get install nginx-light',
    'no chromium on this machine': 'apt-get install chromium',
    'there is no kubectl on this machine': 'install kubectl: https://kubernetes.io/docs/tasks/tools/',
    'chromium does not start on this machine': undefined,
    'root may read every file': undefined,
    'another Node, where the one-shot call is used': undefined,
  }
  for (const [reason, remedy] of Object.entries(remedies)) t.equal(remedyOf(reason), remedy, reason)
  t.match(remedyOf('LOGSHIPPER_REAL_LOKI_URL is not set'), /test\/real\/compose\.yaml/)
  t.match(remedyOf('KUBE_APISERVER_BIN and ETCD_BIN are not set'), /k8s\/README\.md/)
  for (const reason of [
    'only root can be another user',
    'no tmpfs can be mounted here',
    'no user namespace of our own',
  ])
    t.match(remedyOf(reason), /as root/, reason)
  t.match(remedyOf('no IPv6 on this machine'), /address/)
  t.equal(remedyOf('something new'), undefined)
  t.end()
})

t.test('skipped tests are added up by their reason, those within others too', t => {
  const directory = scratch(t)
  mkdirSync(join(directory, 'test/real'), { recursive: true })
  writeFileSync(
    join(directory, 'test/real/loki.test.ts.tap'),
    'TAP version 14\nok 1 - Loki # SKIP LOGSHIPPER_REAL_LOKI_URL is not set\n1..1\n',
  )
  writeFileSync(
    join(directory, 'test/a.test.ts.tap'),
    '# Subtest: x\n    ok 1 - y # SKIP no openssl on this machine\n    ok 2 - z # time=3ms\n    1..2\nok 1 - x # time=5ms\nok 2 - w # SKIP no openssl on this machine\n1..2\n',
  )
  t.strictSame(lines(missingIn(directory)), [
    '# not tested on this machine: 3 tests',
    '#   no openssl on this machine (2: test/a.test.ts)\n#     apt-get install openssl',
    '#   LOGSHIPPER_REAL_LOKI_URL is not set (1: test/real/loki.test.ts)\n#     docker compose -f test/real/compose.yaml up -d, then set the variable as that file says',
  ])
  t.strictSame(lines([]), [])
  utimesSync(join(directory, 'test/a.test.ts.tap'), 1000, 1000)
  t.match(lines(missingIn(directory, 2_000_000))[0], /: 1 test$/, 'what did not run this time is left out')
  t.end()
})

t.test('the exit code of npm test is that of the tests', t => {
  const root = scratch(t)
  const bin = join(root, 'bin')
  mkdirSync(bin)
  for (const code of [0, 1, 3]) {
    writeFileSync(join(bin, 'tap'), `#!/bin/sh\necho "$@"\nexit ${code}\n`, { mode: 0o755 })
    const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, '../run.ts'), '--bail'], {
      env: { PATH: `${bin}:${process.env['PATH']}` },
      encoding: 'utf8',
    })
    t.equal(status, code)
    t.match(stdout, /^run --node-arg=--import=\/\S+\.ts --bail\n/)
  }
  t.end()
})
