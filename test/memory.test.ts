/** Memory: what proc and cgroup files of either version say. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { leastMemory, memoryLimit, memoryUse } from '../src/memory.ts'

const MIB = 1024 ** 2

function system(t: Test, files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'memory-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return memoryLimit(join(root, 'cgroup'), join(root, 'fs'))
}

t.test('our own resident and private bytes are told apart', async t => {
  const use = memoryUse()!
  t.ok(use.anonymous > MIB)
  t.ok(use.resident > use.anonymous)
  t.equal(memoryUse('/nowhere'), undefined)
})

t.test('the limit of a container stands in its cgroup, of either version', async t => {
  t.equal(system(t, { cgroup: '0::/\n', 'fs/memory.max': '134217728\n' }), 128 * MIB)
  t.equal(system(t, { cgroup: '0::/pod/c\n', 'fs/pod/c/memory.max': '67108864\n', 'fs/memory.max': 'max\n' }), 64 * MIB)
  const first = { cgroup: '9:memory:/pod\n1:name=systemd:/pod\n', 'fs/memory/pod/memory.limit_in_bytes': '100000000\n' }
  t.equal(system(t, first), 100_000_000)
  const inside = { cgroup: '9:cpu,memory:/gone\n', 'fs/memory/memory.limit_in_bytes': '50331648\n' }
  t.equal(system(t, inside), 48 * MIB)
})

t.test('no limit is none, and so is one that cannot be read', async t => {
  t.equal(system(t, { cgroup: '0::/\n', 'fs/memory.max': 'max\n' }), undefined)
  t.equal(system(t, { cgroup: '9:memory:/\n', 'fs/memory/memory.limit_in_bytes': '9223372036854771712\n' }), undefined)
  t.equal(system(t, {}), undefined)
})

t.test('a larger budget needs a larger limit', async t => {
  t.equal(leastMemory(4 * MIB), 96 * MIB)
  t.equal(leastMemory(24 * MIB), 112 * MIB)
})
