/** nginx between the program and its receiver, as an ingress is: what it does to connections and requests costs no line. */
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Program, Stage, sleep, until } from '../program.ts'
import { Authority, hasOpenssl } from '../support/certificates.ts'
import { freePort, isInstalled, running } from '../support/daemon.ts'
import { untested } from '../support/untested.ts'
import { Wire } from '../support/wire.ts'

const missing = isInstalled('nginx') ? (hasOpenssl() ? undefined : 'openssl') : 'nginx'
if (missing) untested(t, 'nginx in between', `no ${missing} on this machine`)
else {
  t.jobs = 3
  tests()
}

interface Nginx {
  readonly stage: Stage
  readonly wire: Wire
  readonly directory: string
  readonly authority: Authority
  readonly port: number
  /** Time (seconds) and status of each request so far. */
  readonly requests: () => { at: number; status: number }[]
}

/** `http`, `server` and `location`: directives at these places. Requests for /ingest go on to the receiver. */
async function nginx(
  t: Test,
  { http = '', server = '', location = '', tls = false }: Record<string, string | boolean> = {},
  env: Record<string, string> = {},
): Promise<Nginx> {
  const stage = await Stage.set(t, env)
  const wire = await Wire.lay(t, stage.receiver.url)
  const directory = join(stage.logs, '../nginx')
  mkdirSync(directory)
  const authority = new Authority(directory)
  const { cert, key } = authority.sign('server', 'DNS:localhost,IP:127.0.0.1')
  const port = await freePort()
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const lines = [
    `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;`,
    'events { worker_connections 256; }',
    `http { log_format brief "$msec $status"; access_log ${directory}/access.log brief;`,
    ...temporary.map(name => `${name}_temp_path ${directory}/${name};`),
    `client_max_body_size 16m; ${http}`,
    `server { listen 127.0.0.1:${port}${tls ? ' ssl' : ''}; ${server}`,
    tls ? `ssl_certificate ${cert}; ssl_certificate_key ${key};` : '',
    `location /ingest { proxy_http_version 1.1; proxy_pass ${new URL(wire.url).origin}; ${location} } } }`,
  ]
  writeFileSync(join(directory, 'nginx.conf'), lines.join('\n'))
  await running(
    t,
    port,
    'nginx',
    '-p',
    directory,
    '-e',
    join(directory, 'error.log'),
    '-c',
    join(directory, 'nginx.conf'),
  )
  stage.env['LOGSHIPPER_BACKEND_ENDPOINT'] = `${tls ? 'https' : 'http'}://localhost:${port}/ingest`
  if (tls) stage.env['LOGSHIPPER_BACKEND_TLS_CA'] = authority.cert
  const requests = () =>
    readFileSync(join(directory, 'access.log'), 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => ({ at: Number(line.split(' ')[0]), status: Number(line.split(' ')[1]) }))
  return { stage, wire, directory, authority, port, requests }
}

const ups = (program: Program) =>
  program.said.filter(({ msg }) => /backend (unavailable|misconfigured|recovered)|credentials refused/.test(msg))

function tests(): void {
  t.test('TLS under an authority of one’s own', async t => {
    const { stage } = await nginx(t, { tls: true })
    const program = await stage.start()
    for (let round = 0; round < 5; round++) {
      stage.write(1000)
      t.ok(await stage.arrived())
    }
    t.same(ups(program), [])
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('mutual TLS: the pair is swapped while lines are shipped, and half a swap is not noticed', async t => {
    const server = 'ssl_verify_client on;'
    const made = await nginx(t, {
      tls: true,
      location: 'proxy_set_header X-Client $ssl_client_s_dn;',
      server: `${server} ssl_client_certificate authority.pem;`,
    })
    const { stage, directory, authority } = made
    const [one, two] = [authority.sign('one'), authority.sign('two')]
    const secret = projected(join(directory, 'secret'))
    secret(one.cert, one.key)
    const program = await stage.start({
      LOGSHIPPER_BACKEND_TLS_CERT: join(directory, 'secret/tls.crt'),
      LOGSHIPPER_BACKEND_TLS_KEY: join(directory, 'secret/tls.key'),
    })
    const clients = () => new Set(stage.receiver.heads.map(head => head['x-client']))
    const shipping = async (seconds: number, until: () => boolean = () => false) => {
      for (let round = 0; round < seconds * 20 && !until(); round++) {
        stage.write(50)
        await sleep(50)
      }
    }
    await shipping(1)
    secret(two.cert, one.key)
    await shipping(3.5)
    secret(two.cert, two.key)
    await shipping(20, () => clients().has('CN=two'))
    stage.write(50)
    t.ok(await stage.arrived())
    t.same([...clients()], ['CN=one', 'CN=two'])
    t.same(ups(program), [], 'no request failed')
    t.ok(program.says('credentials reloaded'))
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('a certificate that is asked for and not there, or http to its port, rejects no line', async t => {
    const made = await nginx(t, { tls: true, server: 'ssl_verify_client on; ssl_client_certificate authority.pem;' })
    const { stage, authority, port } = made
    stage.write(100)
    const grace = { LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' }
    for (const [env, reason] of [
      [{}, 'CLIENT_CERTIFICATE_REFUSED'],
      [{ LOGSHIPPER_BACKEND_ENDPOINT: `http://localhost:${port}/ingest` }, 'HTTPS_EXPECTED'],
      [{ LOGSHIPPER_BACKEND_TLS_CA: '' }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ] as const) {
      const program = await stage.start({ ...grace, ...env })
      t.ok(await until(() => program.says('backend misconfigured; retrying')))
      const { code, ledger } = await program.kill('SIGTERM')
      t.equal(code, 3)
      t.same(
        ups(program).map(({ reason }) => reason),
        [reason],
      )
      t.same(ledger[0]?.statement.rejected, {})
    }
    const { cert, key } = authority.sign('one')
    const program = await stage.start({ LOGSHIPPER_BACKEND_TLS_CERT: cert, LOGSHIPPER_BACKEND_TLS_KEY: key })
    t.ok(await stage.arrived())
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('413: halves are sent, and the limit is remembered', async t => {
    const made = await nginx(t, { server: 'client_max_body_size 64k;' }, { LOGSHIPPER_BACKEND_COMPRESSION: 'none' })
    const { stage, requests } = made
    stage.write(20_000)
    const program = await stage.start()
    t.ok(await stage.arrived())
    t.ok(program.says('payload too large'))
    const refusals = requests().filter(({ status }) => status === 413).length
    t.ok(refusals > 0 && refusals < 12, `${refusals} refusals`)
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('429 with Retry-After: no request comes before its time', async t => {
    const http = 'limit_req_zone $binary_remote_addr zone=all:32k rate=2r/s;'
    const refused = 'error_page 429 = @later;'
    const server = `${refused} location @later { add_header Retry-After 1 always; return 429 "later"; }`
    const { stage, requests } = await nginx(t, { http, server, location: 'limit_req zone=all; limit_req_status 429;' })
    const program = await stage.start()
    for (let round = 0; round < 8; round++) {
      stage.write(100)
      await sleep(100)
    }
    t.ok(await stage.arrived(20))
    const all = requests()
    t.ok(all.some(({ status }) => status === 429))
    for (const [index, { at, status }] of all.entries()) {
      const next = all[index + 1]
      if (status === 429 && next) t.ok(next.at - at >= 0.95, `${next.at - at} s`)
    }
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('502, 503 and 504: an upstream that is gone, limited or mute', async t => {
    const http = 'limit_req_zone $binary_remote_addr zone=all:32k rate=2r/s;'
    const location = 'limit_req zone=all; proxy_read_timeout 300ms;'
    const { stage, wire, requests } = await nginx(t, { http, location })
    // An upstream that is only slow has taken what its gateway gave up on.
    stage.receiver.honoursKeys = true
    const program = await stage.start()
    const seen = (status: number) => until(() => requests().some(each => each.status === status))
    t.ok(
      await until(() => {
        stage.write(1)
        return requests().some(({ status }) => status === 503)
      }),
    )
    t.ok(await stage.arrived())
    await wire.cut()
    stage.write(100)
    t.ok(await seen(502))
    await wire.join()
    t.ok(await stage.arrived())
    wire.treat(() => {})
    stage.write(100)
    t.ok(await seen(504))
    wire.treat(undefined)
    t.ok(await stage.arrived())
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 0)
    t.same(ledger[0]?.statement.rejected, {})
    stage.complete(t)
  })

  t.test('connections that are closed when idle, or after some requests, are not missed', async t => {
    const { stage, requests } = await nginx(t, { server: 'keepalive_timeout 150ms; keepalive_requests 5;' })
    const program = await stage.start()
    for (let round = 0; round < 30; round++) {
      stage.write(10)
      // Around the moment in which it hangs up.
      await sleep(140 + (round % 10) * 2)
    }
    t.ok(await stage.arrived())
    t.same(ups(program), [], 'nothing failed')
    t.ok(requests().length >= 10)
    t.equal((await program.kill('SIGTERM')).code, 0)
    stage.complete(t)
  })

  t.test('an answer in chunks is read to its end', async t => {
    const { stage } = await nginx(t, { location: 'proxy_buffering off;' })
    stage.receiver.behaviour = (_request, response: ServerResponse) => {
      response.writeHead(200)
      response.write('one ')
      setTimeout(() => response.end('two'), 30)
      return true
    }
    const program = await stage.start()
    for (let round = 0; round < 5; round++) {
      stage.write(100)
      t.ok(await stage.arrived())
    }
    t.equal((await program.kill('SIGTERM')).code, 0)
    t.same(ups(program), [])
    stage.complete(t)
  })
}

/** A Secret as the kubelet projects it: each version is swapped in by one rename. */
function projected(directory: string): (cert: string, key: string) => void {
  let version = 0
  mkdirSync(directory)
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(directory, name))
  return (cert, key) => {
    const next = `..v${++version}`
    mkdirSync(join(directory, next))
    writeFileSync(join(directory, next, 'tls.crt'), readFileSync(cert))
    writeFileSync(join(directory, next, 'tls.key'), readFileSync(key))
    symlinkSync(next, join(directory, '..new'))
    renameSync(join(directory, '..new'), join(directory, '..data'))
  }
}
