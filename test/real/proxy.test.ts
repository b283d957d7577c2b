/** Forward proxies that people run, tinyproxy and squid, between the program and its receiver. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import t, { type Test } from 'tap'
import type { LedgerLine } from '../../src/server/shipper-view.ts'
import { type Program, Stage, until } from '../program.ts'
import { Authority, hasOpenssl } from '../support/certificates.ts'
import { freePort, isInstalled, running } from '../support/daemon.ts'
import { Wire } from '../support/wire.ts'

const LOGIN = { username: 'shipper', password: 'hush-7f3a' }

interface Server {
  readonly program: string
  /** Arguments, after what they need has been written into `directory`. */
  readonly prepare: (directory: string, port: number, login: typeof LOGIN | undefined) => readonly string[]
}

const SERVERS: readonly Server[] = [
  {
    program: 'tinyproxy',
    prepare: (directory, port, login) => {
      const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Allow 127.0.0.1', 'Timeout 60', 'MaxClients 32']
      lines.push(`LogFile "${directory}/log"`, `PidFile "${directory}/pid"`)
      if (login) lines.push(`BasicAuth ${login.username} ${login.password}`)
      writeFileSync(join(directory, 'conf'), `${lines.join('\n')}\n`)
      return ['-d', '-c', join(directory, 'conf')]
    },
  },
  {
    program: 'squid',
    prepare: (directory, port, login) => {
      const lines = [`http_port 127.0.0.1:${port}`, `pid_filename ${directory}/pid`, `cache_log ${directory}/log`]
      lines.push('access_log none', `coredump_dir ${directory}`, 'cache deny all', 'pinger_enable off')
      lines.push('shutdown_lifetime 0 seconds', 'visible_hostname proxy.test')
      if (login) {
        const hash = execFileSync('openssl', ['passwd', '-apr1', login.password]).toString().trim()
        writeFileSync(join(directory, 'users'), `${login.username}:${hash}\n`)
        lines.push(`auth_param basic program /usr/lib/squid/basic_ncsa_auth ${directory}/users`)
        lines.push('acl known proxy_auth REQUIRED', 'http_access allow known', 'http_access deny all')
      } else lines.push('http_access allow all')
      writeFileSync(join(directory, 'conf'), `${lines.join('\n')}\n`)
      return ['-N', '-f', join(directory, 'conf')]
    },
  },
]

interface Scene {
  readonly stage: Stage
  /** Between the proxy and the receiver. */
  readonly wire: Wire
  readonly proxy: string
  /** The same receiver behind TLS. */
  readonly secure: string
  readonly start: () => Promise<{ stop: () => Promise<unknown> }>
}

async function scene(t: Test, { program, prepare }: Server, login?: typeof LOGIN): Promise<Scene> {
  const stage = await Stage.set(t)
  const wire = await Wire.lay(t, stage.receiver.url)
  const directory = join(stage.logs, '../proxy')
  mkdirSync(directory)
  // As root they change to a user of their own.
  chmodSync(directory, 0o777)
  const port = await freePort()
  const args = prepare(directory, port, login)
  const start = async () => {
    const child = await running(t, port, program, ...args)
    const exited = once(child, 'exit')
    return {
      stop: () => {
        child.kill('SIGKILL')
        return exited
      },
    }
  }
  const authority = new Authority(directory)
  const proxy = `http://127.0.0.1:${port}`
  const secure = await terminating(t, authority, Number(new URL(wire.url).port))
  Object.assign(stage.env, {
    LOGSHIPPER_BACKEND_ENDPOINT: wire.url,
    LOGSHIPPER_BACKEND_PROXY_URL: proxy,
    LOGSHIPPER_BACKEND_TLS_CA: authority.cert,
  })
  return { stage, wire, proxy, secure, start }
}

/** TLS in front of a port. */
async function terminating(t: Test, authority: Authority, port: number): Promise<string> {
  const { cert, key } = authority.sign('server', 'DNS:localhost,IP:127.0.0.1')
  const open = new Set<Socket>()
  const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, near => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) open.add(socket.on('error', () => {}))
    near.pipe(far).pipe(near)
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return `https://localhost:${(server.address() as AddressInfo).port}/ingest`
}

const faults = (program: Program) =>
  program.said.filter(({ msg }) => /backend (unavailable|misconfigured)/.test(msg)).map(({ reason }) => reason)

t.jobs = 2

for (const server of SERVERS) {
  const here = isInstalled(server.program) && hasOpenssl()
  const skip = here ? false : `no ${server.program} with openssl on this machine`
  t.test(server.program, { skip }, async t => {
    t.jobs = 3

    t.test('requests are forwarded, and tunnelled', async t => {
      const { stage, secure, start } = await scene(t, server)
      await start()
      for (const env of [{}, { LOGSHIPPER_BACKEND_ENDPOINT: secure }] as Record<string, string>[]) {
        const before = stage.receiver.heads.length
        const program = await stage.start(env)
        for (let round = 0; round < 4; round++) {
          stage.write(500)
          t.ok(await stage.arrived())
        }
        t.same(faults(program), [])
        t.equal((await program.kill('SIGTERM')).code, 0)
        const came = stage.receiver.heads.slice(before)
        t.ok(came.every(head => (head.via !== undefined) === !('LOGSHIPPER_BACKEND_ENDPOINT' in env)))
        t.ok(came.every(head => head['proxy-authorization'] === undefined))
      }
      stage.complete(t)
    })

    t.test('an unknown user is refused by name, and no line is lost', async t => {
      const { stage, secure, start } = await scene(t, server, LOGIN)
      await start()
      for (const endpoint of [stage.env['LOGSHIPPER_BACKEND_ENDPOINT']!, secure]) {
        const env = { LOGSHIPPER_BACKEND_ENDPOINT: endpoint }
        const login = { LOGSHIPPER_BACKEND_PROXY_AUTH_USERNAME: LOGIN.username }
        stage.write(100)
        for (const wrong of [{}, { ...login, LOGSHIPPER_BACKEND_PROXY_AUTH_PASSWORD: 'wrong' }]) {
          const program = await stage.start({ ...env, ...wrong })
          t.ok(await until(() => faults(program).length > 0))
          await program.kill('SIGKILL')
          // tinyproxy says 401 to a wrong password, as if it were the endpoint.
          t.match(faults(program), [/^proxy_40[17]$/])
        }
        const program = await stage.start({ ...env, ...login, LOGSHIPPER_BACKEND_PROXY_AUTH_PASSWORD: LOGIN.password })
        t.ok(await stage.arrived())
        const { code, ledger } = await program.kill('SIGTERM')
        t.equal(code, 0)
        t.same(ledger[0]?.statement.rejected, {})
        t.notMatch(JSON.stringify(program.said), /hush/)
      }
      stage.complete(t)
    })

    t.test('what it says when the endpoint or itself is gone is its own word, and passes', async t => {
      const { stage, wire, start } = await scene(t, server)
      const first = await start()
      const program = await stage.start()
      const settled = async () => (await stage.arrived()) && (await acknowledged(program, stage.written))
      stage.write(100)
      t.ok(await settled())
      await wire.cut()
      stage.write(100)
      t.ok(await until(async () => (await retries(program, /^proxy_50[0-4]$/)) > 0))
      await wire.join()
      t.ok(await settled())
      await first.stop()
      stage.write(100)
      t.ok(await until(async () => (await retries(program, /^proxy_ECONNREFUSED$/)) > 0))
      await start()
      t.ok(await settled())
      const { code, ledger } = await program.kill('SIGTERM')
      t.equal(code, 0)
      t.same(ledger[0]?.statement.rejected, {})
      stage.complete(t)
    })

    const outside = Object.values(networkInterfaces()).flatMap(each => each ?? [])
    const address = outside.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? ''
    const alone = address === '' ? 'no address on this machine but its own' : false

    t.test('the environment says whether it is used', { skip: alone }, async t => {
      const { stage, proxy, start } = await scene(t, server)
      await start()
      stage.env['LOGSHIPPER_BACKEND_PROXY_URL'] = ''
      stage.env['LOGSHIPPER_BACKEND_TLS_CA'] = ''
      stage.env['LOGSHIPPER_BACKEND_ENDPOINT'] = await outward(t, address, stage.receiver.url)
      const network = `${address.split('.').slice(0, 2).join('.')}.0.0/16`
      const lives: [Record<string, string>, boolean][] = [
        [{ HTTP_PROXY: proxy }, true],
        [{ http_proxy: proxy, NO_PROXY: '10.99.0.0/24,other.test' }, true],
        [{ HTTP_PROXY: proxy, no_proxy: `localhost,${network}` }, false],
        [{ HTTP_PROXY: proxy, LOGSHIPPER_BACKEND_PROXY: 'off' }, false],
        [{ HTTPS_PROXY: proxy }, false],
      ]
      for (const [env, through] of lives) {
        const before = stage.receiver.heads.length
        const program = await stage.start(env)
        stage.write(100)
        t.ok(await stage.arrived())
        t.equal((await program.kill('SIGTERM')).code, 0)
        const came = stage.receiver.heads.slice(before)
        t.ok(came.length > 0 && came.every(head => (head.via !== undefined) === through), JSON.stringify(env))
      }
      stage.complete(t)
    })
  })
}

/** How often the program sent again for such reasons, as its metrics say. */
async function retries(program: Program, reason: RegExp): Promise<number> {
  const { text } = await program.get('/metrics')
  const rows = text.matchAll(/^logshipper_retries_total\{.*reason="(\w+)".*\} (\d+)$/gm)
  return [...rows].reduce((sum, [, name, count]) => (reason.test(name!) ? sum + Number(count) : sum), 0)
}

/** The receiver may have lines before the program knows. */
function acknowledged(program: Program, lines: number): Promise<boolean> {
  return until(async () => {
    const ledger = JSON.parse((await program.get('/ledger', 'adminPort')).text) as LedgerLine[]
    return ledger[0]?.statement.delivered.lines === lines
  })
}

/** The receiver under an address that is not that of our own machine alone. */
async function outward(t: Test, address: string, far: string): Promise<string> {
  const server = createServer(near => {
    const socket = connect(Number(new URL(far).port), '127.0.0.1')
    near.on('error', () => {}).once('close', () => socket.destroy())
    socket.on('error', () => {}).once('close', () => near.destroy())
    near.pipe(socket).pipe(near)
  })
  await once(server.listen(0, address), 'listening')
  t.teardown(() => server.close())
  return `http://${address}:${(server.address() as AddressInfo).port}/ingest`
}
