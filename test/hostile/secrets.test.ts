/**
 * Every credential that a configuration can hold: none is in the log at any level, on any page, in what a command says, or in
 * a support bundle.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { PROGRAM, Program, Receiver, Stage, until } from '../program.ts'

t.jobs = 2
t.setTimeout(170_000)

const WORDS = [
  ...['bearer', 'basic', 'key', 'header', 'query', 'client', 'proxy', 'file', 'variable', 'template', 'userinfo'],
] as const
const canary = (name: (typeof WORDS)[number]) => `canary-of-${name}-0123456789abcdef`

/** Backends that all refuse, and say in their answer all that they were sent. */
function backends(url: string, file: string): object[] {
  const auths: Record<string, object> = {
    bearer: { bearer: canary('bearer') },
    basic: { basic: { username: 'user', password: canary('basic') } },
    key: { apiKey: { header: 'x-api-key', value: canary('key') } },
    file: { bearer: { file } },
    variable: { bearer: { env: 'CANARY_VARIABLE' } },
    client: { oauth2: { tokenUrl: `${url}/token`, clientId: 'id', clientSecret: canary('client') } },
  }
  return [
    ...Object.entries(auths).map(([name, auth]) => ({ name, type: 'http', endpoint: url, auth })),
    { name: 'header', type: 'http', endpoint: url, headers: { 'x-token': canary('header') } },
    { name: 'query', type: 'http', endpoint: `${url}?token=${canary('query')}` },
    { name: 'template', type: 'http', endpoint: url, auth: { bearer: `\${CANARY_TEMPLATE}` } },
    {
      name: 'proxy',
      type: 'http',
      endpoint: url,
      proxy: { url: 'http://127.0.0.1:1', auth: { username: 'user', password: canary('proxy') } },
    },
  ].map(each => ({ ...each, retry: { initial: '50ms', max: '200ms' } }))
}

async function set(t: Test, more: readonly object[] = []) {
  const receiver = await Receiver.start(t)
  receiver.behaviour = (request, response) => {
    const said = JSON.stringify([request.headers, request.url])
    response.writeHead(401, { 'www-authenticate': said.replaceAll(/[^\x20-\x7e]/g, '?') }).end(said)
    return false
  }
  const stage = await Stage.set(t)
  const file = join(stage.logs, '..', 'token')
  writeFileSync(file, `${canary('file')}\n`)
  const config = join(stage.logs, '..', 'logshipper.yaml')
  const sources = [{ name: 'app', paths: [join(stage.logs, '*.log')] }]
  const content = {
    sources,
    backends: [...backends(receiver.url, file), ...more],
    log: { level: 'debug' },
    state: { dir: stage.state },
    server: { port: 0, admin: '127.0.0.1:0' },
    memory: { budget: '64MiB' },
    drain: { gracePeriod: '2s' },
  }
  writeFileSync(config, JSON.stringify(content))
  const env = {
    PATH: process.env['PATH']!,
    CANARY_VARIABLE: canary('variable'),
    CANARY_TEMPLATE: canary('template'),
  }
  return { stage, config, env }
}

/** Nothing of a credential, in the letters that it was written in or in base64. */
function clean(t: Test, text: string, where: string): void {
  t.ok(text.length > 0, `${where} says something`)
  for (const name of WORDS) {
    const value = canary(name)
    for (const form of [value, value.slice(0, 20), Buffer.from(`user:${value}`).toString('base64')]) {
      t.notOk(text.includes(form), `${where}: ${name}`)
    }
  }
}

t.test('the commands that show, validate and check a configuration', async t => {
  const { config, env } = await set(t)
  for (const command of ['config', 'validate', 'check', 'ledger', 'status', 'doctor']) {
    const child = spawn(process.execPath, [PROGRAM, command, '--config', config], { env })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part))
    const [code] = await once(child, 'close')
    if (command === 'config' || command === 'validate') t.equal(code, 0, said)
    clean(t, said, command)
  }
})

t.test('a configuration that is refused', async t => {
  const endpoint = `http://user:${canary('userinfo')}@127.0.0.1/`
  const { config, env } = await set(t, [{ name: 'wrong', type: 'http', endpoint, auth: { bearr: canary('bearer') } }])
  const child = spawn(process.execPath, [PROGRAM, 'validate', '--config', config], { env })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part))
  t.not((await once(child, 'close'))[0], 0)
  clean(t, said, 'validate')
})

t.test('the program while every backend repeats what it was sent, at the level of debug', async t => {
  const { stage, config, env } = await set(t)
  const program = new Program(env, ['--config', config])
  t.teardown(() => program.kill('SIGKILL'))
  await program.started
  stage.write(3)
  t.ok(await until(() => program.says('credentials refused')))
  for (const path of ['/health', '/metrics', '/readyz']) clean(t, (await program.get(path)).text, path)
  for (const path of ['/', '/status', '/ledger']) clean(t, (await program.get(path, 'adminPort')).text, path)
  t.ok(await until(async () => /401/.test((await program.get('/status', 'adminPort')).text)))
  const { port, adminPort } = program.said.find(({ msg }) => msg === 'listening')!
  const ports = { LOGSHIPPER_SERVER_PORT: String(port), LOGSHIPPER_SERVER_ADMIN: `127.0.0.1:${adminPort}` }
  const child = spawn(process.execPath, [PROGRAM, 'bundle', '--config', config], { env: { ...env, ...ports } })
  const archive: Buffer[] = []
  let said = ''
  child.stdout.on('data', (part: Buffer) => archive.push(part))
  child.stderr.on('data', (part: Buffer) => (said += part))
  t.strictSame(await once(child, 'close'), [0, null], said)
  const bundle = gunzipSync(Buffer.concat(archive)).toString('latin1')
  for (const name of ['status.json', 'metrics.txt', 'configuration.txt', 'files.txt']) t.match(bundle, `/${name}\0`)
  t.match(bundle, `${join(stage.logs, 'app.log')}\n`)
  t.notMatch(bundle, 'a line of the application', 'nothing of what was read')
  clean(t, bundle, 'the bundle')
  clean(t, said, 'what is said of the bundle')
  await program.kill('SIGTERM')
  clean(t, program.raw, 'the log')
})
