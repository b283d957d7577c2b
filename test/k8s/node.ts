/**
 * A real node: kubelet, containerd and an API server in a network of their own, with one pod after another on it. There is
 * no scheduler and no controller, so a pod names the node, and what a Deployment or Job would make of its template is made
 * here.
 *
 * Binaries are named by KUBELET_BIN, KUBE_APISERVER_BIN, ETCD_BIN and CONTAINERD_BIN (2.x); they are not fetched or
 * built here. Needs root, runc, the CNI plugins, buildah, skopeo and busybox-static. What a kubelet changes of the
 * machine (three settings of the kernel, cgroups, mounts) is put back.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { IMAGE, withoutImage } from '../docker/podman.ts'
import { ApiServer, TOKEN, withoutApiServer } from './apiserver.ts'
import { pods, type Resource, render, withoutKubectl } from './render.ts'

const NETWORK = `logshipper-${process.pid}`
const ENTER = ['nsenter', `--net=/run/netns/${NETWORK}`]
const ADDRESS = '192.0.2.10'
const SETTINGS = ['kernel/panic', 'kernel/panic_on_oops', 'vm/overcommit_memory'].map(name => `/proc/sys/${name}`)
const CONTAINERD = 'CONTAINERD_BIN'
const BUSYBOX = '/bin/busybox'

/** Why there can be none, or `undefined`. */
export function withoutNode(): string | undefined {
  const missing = ['KUBELET_BIN', CONTAINERD].filter(name => !process.env[name])
  if (missing.length > 0) return `no kubelet was named: ${missing.join(' and ')} not set`
  if (process.getuid?.() !== 0) return 'a kubelet needs root'
  for (const path of ['/usr/sbin/runc', '/usr/lib/cni/bridge', BUSYBOX]) if (!existsSync(path)) return `no ${path}`
  return withoutKubectl() ?? withoutApiServer() ?? withoutImage()
}

/** What became of a container. */
export interface Terminated {
  readonly exitCode: number
  readonly startedAt: string
  readonly finishedAt: string
  readonly message?: string
}

export interface ContainerStatus {
  readonly name: string
  readonly restartCount: number
  readonly state: { readonly terminated?: Terminated; readonly running?: { readonly startedAt: string } }
}

export class Node {
  readonly server: ApiServer
  readonly directory: string

  private constructor(server: ApiServer) {
    this.server = server
    this.directory = server.directory
  }

  static async start(t: Test): Promise<Node> {
    const before = SETTINGS.map(path => [path, readFileSync(path, 'utf8')] as const)
    const ip = (...args: string[]) => execFileSync('ip', args, { stdio: 'pipe' })
    ip('netns', 'add', NETWORK)
    t.teardown(() => ip('netns', 'delete', NETWORK))
    const inside = (...args: string[]) => ip('-n', NETWORK, ...args)
    inside('link', 'set', 'lo', 'up')
    inside('link', 'add', 'node0', 'type', 'veth', 'peer', 'name', 'node1')
    for (const end of ['node0', 'node1']) inside('link', 'set', end, 'up')
    inside('address', 'add', `${ADDRESS}/24`, 'dev', 'node0')
    inside('route', 'add', 'default', 'via', '192.0.2.1', 'dev', 'node0')
    const node = new Node(await ApiServer.start(t, ENTER))
    // Last in, first out: pods before the processes that run them, leftovers when those have ended.
    t.teardown(() => node.#tidy(before))
    node.#configure()
    node.server.spawn('containerd', process.env[CONTAINERD]!, ['--config', join(node.directory, 'containerd.toml')])
    await node.#images()
    node.server.spawn('kubelet', process.env['KUBELET_BIN']!, [
      `--config=${join(node.directory, 'kubelet.yaml')}`,
      `--kubeconfig=${join(node.directory, 'kubeconfig.yaml')}`,
      `--root-dir=${join(node.directory, 'kubelet')}`,
      '--hostname-override=node',
      `--node-ip=${ADDRESS}`,
    ])
    await node.until(() => node.server.kubectl(['get', 'node', 'node']).includes(' Ready'), 'the node is ready')
    return node
  }

  #configure(): void {
    const { directory } = this
    const socket = join(directory, 'containerd.sock')
    mkdirSync(join(directory, 'cni'))
    const ipam = { type: 'host-local', ranges: [[{ subnet: '198.51.100.0/24' }]], dataDir: join(directory, 'ipam') }
    const bridge = {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      ipam: { ...ipam, routes: [{ dst: '0.0.0.0/0' }] },
    }
    const network = { cniVersion: '1.0.0', name: 'pods', plugins: [bridge] }
    writeFileSync(join(directory, 'cni/10-pods.conflist'), JSON.stringify(network))
    writeFileSync(
      join(directory, 'containerd.toml'),
      `version = 3
root = '${join(directory, 'containerd/root')}'
state = '${join(directory, 'containerd/state')}'
[grpc]
address = '${socket}'
[ttrpc]
address = '${socket}.ttrpc'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = 'docker.io/library/pause:1'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
disable_apparmor = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['/usr/lib/cni']
conf_dir = '${join(directory, 'cni')}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
`,
    )
    const kubelet = {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      containerRuntimeEndpoint: `unix://${socket}`,
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      enforceNodeAllocatable: [],
      oomScoreAdj: 0,
      maxOpenFiles: 20000,
      failSwapOn: false,
      makeIPTablesUtilChains: false,
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      address: ADDRESS,
      syncFrequency: '5s',
      imageGCHighThresholdPercent: 100,
    }
    writeFileSync(join(directory, 'kubelet.yaml'), stringify(kubelet))
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'here', cluster: { server: this.server.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'node', user: { token: TOKEN } }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'node' } }],
      'current-context': 'here',
    }
    writeFileSync(join(directory, 'kubeconfig.yaml'), stringify(kubeconfig))
  }

  /** Ours, a busybox for the applications, and the same one to hold a pod's namespaces. */
  async #images(): Promise<void> {
    const context = join(this.directory, 'busybox')
    mkdirSync(context)
    execFileSync('cp', [BUSYBOX, join(context, 'busybox')])
    const build = (name: string, more: string) => {
      const file = join(context, `${name}.dockerfile`)
      writeFileSync(file, `FROM scratch\nCOPY busybox /bin/busybox\n${more}\n`)
      execFileSync(
        'buildah',
        [
          'bud',
          '--quiet',
          '--isolation',
          'chroot',
          '--file',
          file,
          '--tag',
          `localhost/${name}:logshipper-test`,
          context,
        ],
        { stdio: 'pipe' },
      )
    }
    build('busybox', 'RUN ["/bin/busybox", "--install", "-s", "/bin"]\nENV PATH=/bin\nCMD ["sh"]')
    build('pause', 'ENTRYPOINT ["/bin/busybox", "sleep", "2147483647"]')
    const images = [
      ['localhost/busybox:logshipper-test', 'docker.io/library/busybox:1.37'],
      ['localhost/pause:logshipper-test', 'docker.io/library/pause:1'],
      [IMAGE, 'docker.io/library/logshipper:0.1.0'],
    ] as const
    const ctr = join(process.env[CONTAINERD]!, '../ctr')
    for (const [index, [from, to]] of images.entries()) {
      const archive = join(this.directory, `${index}.tar`)
      execFileSync('skopeo', ['copy', '--quiet', `containers-storage:${from}`, `docker-archive:${archive}:${to}`], {
        stdio: 'pipe',
      })
      const args = [
        '--address',
        join(this.directory, 'containerd.sock'),
        '--namespace',
        'k8s.io',
        'images',
        'import',
        archive,
      ]
      await this.until(() => execFileSync(ctr, args, { stdio: 'pipe' }) !== undefined, `image ${to}`)
      rmSync(archive)
    }
  }

  /**
   * The pod of an example, on this node. `change` has the last word; `endpoint` replaces that of the example's backend.
   */
  run(overlay: string, name: string, endpoint: string, change: (pod: Resource) => void = () => undefined): void {
    const resources = render(overlay)
    const [planned] = pods(resources)
    const spec = { ...structuredClone(planned!.spec), nodeName: 'node', automountServiceAccountToken: false }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...planned!.metadata, name }, spec }
    change(pod)
    const maps = resources.filter(({ kind }) => kind === 'ConfigMap')
    const texts = [...maps, pod].map(each => JSON.stringify(each).replace(/https?:\/\/[\w.-]+:8080\/\w+/g, endpoint))
    for (const text of texts) this.server.kubectl(['apply', '--validate=strict', '-f', '-'], text)
  }

  /** The containers of a pod, in the order of their start, and its phase. `undefined` when it is gone. */
  status(name: string): { phase: string; containers: ContainerStatus[] } | undefined {
    const text = this.server.kubectl(['get', 'pod', name, '--ignore-not-found', '--output=json'])
    if (text === '') return undefined
    const { status } = JSON.parse(text) as {
      status: { phase: string; initContainerStatuses?: ContainerStatus[]; containerStatuses?: ContainerStatus[] }
    }
    return {
      phase: status.phase,
      containers: [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])],
    }
  }

  /** Deletes a pod and resolves to the last that was known of its containers. */
  async delete(name: string): Promise<ContainerStatus[]> {
    let last = this.status(name)!
    this.server.kubectl(['delete', 'pod', name, '--wait=false'])
    for (let tries = 0; tries < 600; tries++) {
      const now = this.status(name)
      if (now === undefined) return last.containers
      last = now
      await sleep(100)
    }
    throw new Error(`${name} does not end`)
  }

  /** A receiver that pods can reach: what it got, as it got it. Lives in a process of its own, in the node's network. */
  async receiver(port: number): Promise<{
    readonly url: string
    readonly lines: () => string[]
    readonly records: () => Record<string, unknown>[]
  }> {
    const file = join(this.directory, `received-${port}`)
    writeFileSync(file, '')
    this.server.spawn(`receiver-${port}`, process.execPath, [import.meta.filename, `${port}`, file])
    await sleep(500)
    const records = () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as Record<string, unknown>)
    const lines = () => records().map(({ message }) => message as string)
    return { url: `http://${ADDRESS}:${port}/ingest`, lines, records }
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      let why: unknown
      try {
        if (holds()) return
      } catch (error) {
        why = error
      }
      if (tries === 300) throw new Error(`never: ${what}\n${this.server.log('kubelet')}`, { cause: why })
      await sleep(200)
    }
  }

  async #tidy(before: readonly (readonly [string, string])[]): Promise<void> {
    this.server.kubectl(['delete', 'pods', '--all', '--all-namespaces', '--force', '--grace-period=0'])
    await sleep(3000)
    await this.server.stop()
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map(line => line.split(' ')[1] ?? '')
    for (const path of mounts.reverse())
      if (path.startsWith(`${this.directory}/`)) execFileSync('umount', ['--lazy', path])
    for (const controller of readdirSync('/sys/fs/cgroup')) {
      const group = join('/sys/fs/cgroup', controller, 'kubepods')
      if (existsSync(group))
        execFileSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'], { stdio: 'ignore' })
    }
    for (const [path, value] of before) writeFileSync(path, value)
  }
}

/** As a process: the receiver. Keeps the bodies of all requests in a file. */
async function receive(port: number, file: string): Promise<Server> {
  const { appendFileSync } = await import('node:fs')
  const { gunzipSync } = await import('node:zlib')
  return createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      appendFileSync(file, request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      response.writeHead(204).end()
    })
  }).listen(port, ADDRESS)
}

if (process.argv[1] === import.meta.filename) await receive(Number(process.argv[2]), process.argv[3]!)
