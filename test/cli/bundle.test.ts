/** `logshipper bundle`, against real ports: what is in it, what is said of it, and what is not in it. */
import { isUtf8 } from 'node:buffer'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { parseArgs } from '../../src/cli/args.ts'
import { bundle } from '../../src/cli/bundle.ts'
import { loadConfig } from '../../src/config/load.ts'
import { startServer } from '../../src/server/server.ts'
import { scratch } from '../scratch.ts'
import { Stage } from '../server/rig.ts'
import { Journal } from '../tail/rig.ts'

/** The files of an archive. */
function unpacked(archive: Buffer): Record<string, string> {
  const bytes = gunzipSync(archive)
  const files: Record<string, string> = {}
  for (let at = 0; bytes[at] !== 0; ) {
    const name = bytes.toString('latin1', at, bytes.indexOf(0, at))
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8)
    files[name.replace(/^logshipper-bundle\//, '')] = bytes.toString('utf8', at + 512, at + 512 + size)
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

async function set(t: Test) {
  const stage = new Stage()
  const options = { port: 0, admin: { host: '127.0.0.1', port: 0 } }
  const running = await startServer(options, stage, new Journal())
  t.teardown(() => running.close())
  const directory = scratch(t, { logs: { 'app.log': 'canary-of-a-line 0123456789\n' }, token: 'canary-of-a-file\n' })
  const config = join(directory, 'logshipper.yaml')
  const content = {
    sources: [{ name: 'app', paths: [join(directory, 'logs/*.log')] }],
    backends: [
      {
        name: 'main',
        type: 'http',
        endpoint: 'http://collector:8080/in?token=canary-of-a-query',
        headers: { 'x-token': 'canary-of-a-header' },
        auth: { basic: { username: 'user', password: 'canary-of-a-password' } },
      },
      {
        name: 'file',
        type: 'http',
        endpoint: 'http://collector',
        auth: { bearer: { file: join(directory, 'token') } },
      },
      { name: 'env', type: 'http', endpoint: 'http://collector', auth: { bearer: { env: 'CANARY' } } },
    ],
    state: { dir: join(directory, 'state') },
    server: { port: running.ports.port, admin: `127.0.0.1:${running.ports.adminPort}` },
  }
  const make = async (more: object = {}, admin?: string, terminal = false) => {
    writeFileSync(config, JSON.stringify({ ...content, ...more }))
    const env = { CANARY: 'canary-of-a-variable', OTHER: 'canary-of-another' }
    const loaded = await loadConfig({ file: config, env, cwd: '/' })
    const out: Buffer[] = []
    let err = ''
    const streams = {
      out: { write: (bytes: Buffer) => void out.push(bytes) },
      err: { write: (text: string) => void (err += text) },
    }
    const code = await bundle({ admin, loaded, terminal }, streams)
    return { code, err, out: Buffer.concat(out) }
  }
  return { stage, running, directory, make }
}

t.test('it is a command with these options', t => {
  t.match(parseArgs(['bundle', '--admin', 'x:1', '-c', 'c.yaml']), { kind: 'bundle', admin: 'x:1', config: 'c.yaml' })
  t.match(parseArgs(['bundle', 'bundle.tar.gz']), { kind: 'wrong', message: 'bundle takes no paths' })
  t.end()
})

t.test('it holds what the shipper says, the configuration, the platform and what lies in the directories', async t => {
  const { stage, directory, make } = await set(t)
  const { code, err, out } = await make()
  t.equal(code, 0, err)
  const files = unpacked(out)
  t.strictSame(Object.keys(files), [
    ...['README.txt', 'version.json', 'platform.json', 'status.json', 'ledger.json', 'health.json', 'metrics.txt'],
    ...['configuration.txt', 'files.txt'],
  ])
  t.strictSame(JSON.parse(files['status.json']!).health, stage.healthy)
  t.strictSame(JSON.parse(files['ledger.json']!), stage.accounts)
  t.match(files['metrics.txt'], /^logshipper_build_info\{/m)
  t.match(files['configuration.txt'], /^backends\[0\]\.endpoint +"http:\/\/collector:8080/m)
  t.match(files['files.txt'], `${join(directory, 'logs/app.log')}\n`)
  t.match(files['files.txt'], /^cannot be read: .*\/state \(ENOENT\)$/m)
  t.equal(JSON.parse(files['platform.json']!).versions.node, process.versions.node)
  for (const name of Object.keys(files).slice(1)) {
    t.match(err, new RegExp(`^${name} `, 'm'), `${name}: standard error says what it is`)
    t.match(files['README.txt'], new RegExp(`^${name} `, 'm'))
  }
  t.match(err, 'Not in it: records')
  t.notMatch(err, 'MISSING')
})

t.test('no secret and nothing of a line is in it, wherever it was planted', async t => {
  const { make } = await set(t)
  for (const more of [{}, { backends: [{ type: 'http', endpoint: 'http://u:canary-of-a-userinfo@collector/' }] }]) {
    const { out, err } = await make(more)
    const bytes = gunzipSync(out)
    t.ok(isUtf8(bytes) && bytes.length > 1000)
    for (const form of ['canary', Buffer.from('user:canary-of-a-password').toString('base64')]) {
      t.notOk(bytes.includes(form), form)
      t.notMatch(err, form)
    }
  }
})

t.test('a shipper that does not answer costs what it would have said, and no more', async t => {
  const { running, make } = await set(t)
  await running.close()
  const { code, err, out } = await make()
  t.equal(code, 1)
  const files = unpacked(out)
  t.strictSame(Object.keys(files), ['README.txt', 'version.json', 'platform.json', 'configuration.txt', 'files.txt'])
  t.match(err, /^status\.json .*MISSING: cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)/m)
  t.match(files['README.txt'], /^metrics\.txt .*MISSING: cannot connect/m)
})

t.test('a configuration that is not valid is in it with what is wrong', async t => {
  const { running, make } = await set(t)
  const { code, err, out } = await make({ sorces: 1 }, `127.0.0.1:${running.ports.adminPort}`)
  t.equal(code, 0, err)
  const files = unpacked(out)
  t.match(files['configuration.txt'], /^It is not valid:\n.*sorces/)
  t.ok(files['status.json'])
  t.match(err, /^files\.txt .*MISSING: the configuration is not valid$/m)
})

t.test('a port that is off, and one that only the process knows, are said', async t => {
  const { running, make } = await set(t)
  const admin = `127.0.0.1:${running.ports.adminPort}`
  t.match((await make({ server: { port: 'off' } }, admin)).err, /^metrics\.txt .*MISSING: server\.port is off$/m)
  t.match((await make({ server: { port: 0 } }, admin)).err, /^health\.json .*MISSING: server\.port is any free one$/m)
})

t.test('nothing is written to a terminal', async t => {
  const { make } = await set(t)
  const { code, err, out } = await make({}, undefined, true)
  t.equal(code, 2)
  t.match(err, 'logshipper bundle > bundle.tar.gz')
  t.equal(out.length, 0)
})
