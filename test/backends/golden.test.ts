/**
 * A source without processing: its records are, byte for byte, what they were before there was any. golden.json holds what
 * each backend sent of these lines then, a character for each byte.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Encoder } from '../../src/delivery/encoding/encoder.ts'
import { VERSION } from '../../src/version.ts'
import { SUBJECTS } from '../conformance/subjects.ts'
import { Arena, origin } from '../delivery/rig.ts'
import { configured, created } from './rig.ts'

const GOLDEN: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL('golden.json', import.meta.url), 'utf8'),
)
const LINES = [
  '{"level":"info","msg":"said \\"hi\\"","time":"2026-01-01T00:00:00Z"}',
  'plain\ttext\r',
  Buffer.from([0x61, 0xff, 0x62]),
  'level=info msg="x"',
]

for (const subject of SUBJECTS) {
  t.test(`${subject.name}: without processing records are what they were`, async t => {
    const made = created(await configured(t, subject.config('http://127.0.0.1:1')))
    // Lengths of the resource depend on the version.
    const { group, ...alone } = made
    const backend = made.format.contentType === 'application/x-protobuf' ? alone : made
    const arena = new Arena()
    const from = origin('/var/log/app/a.log', { team: 'checkout', level: 'label' })
    const slab = arena.slab(
      { lines: LINES, origin: from, fileStart: 42 },
      { lines: ['cut'], origin: from, fileStart: 4096, cutFrom: 99 },
      { lines: ['partial'], origin: from, fileStart: 8192, partial: true },
    )
    const encoder = new Encoder({
      kernel: arena.kernel,
      budget: arena.budget,
      backend,
      maxBytes: 1 << 20,
      maxRecords: 100,
    })
    const payload = encoder.encode(slab, [{ from: 0, to: slab.frames }], 1 << 20)
    const sent = payload.kind === 'payload' ? payload.view.toString('latin1') : payload.kind
    t.equal(sent.replaceAll(VERSION, 'VERSION'), GOLDEN[subject.name])
  })
}
