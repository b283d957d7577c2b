/** Whoever comes from another shipper is led to `convert`, and is told what is lost. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PEERS } from '../../src/config/foreign.ts'
import { loadConfig } from '../../src/config/load.ts'
import { scratch } from '../scratch.ts'
import { inside } from './inside.ts'

/** The smallest of each, nothing of which is lost. */
const WHOLE: Readonly<Record<(typeof PEERS)[number], readonly [name: string, text: string]>> = {
  'fluent-bit': [
    'fluent-bit.conf',
    '[INPUT]\n    Name tail\n    Path /var/log/app.log\n[OUTPUT]\n    Name stdout\n    Match *\n',
  ],
  promtail: [
    'promtail.yaml',
    'clients:\n  - url: http://loki:3100\nscrape_configs:\n  - job_name: app\n    static_configs: [ { labels: { __path__: /var/log/app.log } } ]\n',
  ],
  alloy: [
    'config.alloy',
    'loki.source.file "app" {\n  targets = [{ __path__ = "/var/log/app.log" }]\n  forward_to = [loki.write.x.receiver]\n}\nloki.write "x" {\n  endpoint {\n    url = "http://loki:3100"\n  }\n}\n',
  ],
  filebeat: [
    'filebeat.yml',
    'filebeat.inputs:\n  - { type: log, paths: [/var/log/app.log] }\noutput.console: { pretty: true }\n',
  ],
  vector: [
    'vector.toml',
    '[sources.app]\ntype = "file"\ninclude = ["/var/log/app.log"]\n[sinks.out]\ntype = "console"\ninputs = ["app"]\nencoding.codec = "json"\n',
  ],
}

function write(t: Test, name: string, text: string): string {
  const file = join(scratch(t, {}), name)
  writeFileSync(file, text)
  return file
}

for (const peer of PEERS) {
  const [name, text] = WHOLE[peer]
  t.test(
    `${peer}: validate, run and a reload name the command, which prints a configuration that is valid`,
    async t => {
      const file = write(t, name, text)
      const validated = await inside(['validate', file])
      t.equal(validated.code, 2)
      const words = `${file}: found a configuration of ${peer}; allowed: a configuration of logshipper (logshipper convert --from ${peer} ${file} prints one)\n`
      t.equal(validated.err, words)
      const { problems } = JSON.parse((await inside(['validate', '--json', file])).out)
      t.match(problems, [{ file, found: `a configuration of ${peer}` }])
      const loaded = await loadConfig({ file, env: {}, cwd: '/' })
      t.match(loaded, { kind: 'invalid', problems: [{ file, hint: /convert --from/ }] })

      const { code, out, err } = await inside(['convert', '--from', peer, file])
      t.equal(code, 0, err)
      t.match(err, /^0 settings lost/m)
      t.match(out, `# Made of ${name} by logshipper convert --from ${peer}.\nsources:\n`)
      const ours = write(t, 'config.yaml', out)
      t.match(await inside(['validate', ours]), { code: 0, out: 'valid: 1 source, 1 backend\n' })
    },
  )
}

t.test('the exit code says that something was lost, and standard error what, where and why', async t => {
  const file = write(t, 'fluent-bit.conf', `${WHOLE['fluent-bit'][1]}[FILTER]\n    Name  lua\n    Match *\n`)
  const { code, out, err } = await inside(['convert', '--from', 'fluent-bit', file])
  t.equal(code, 3)
  t.match(out, 'paths: [/var/log/app.log]')
  t.match(err, `${file}:7: lost: [FILTER] lua: scripts are not run`)
  t.match(err, /^1 setting lost, 0 not needed, 0 notes$/m)
})

t.test('files that are named are read from beside the file, and standard input is read', async t => {
  const [, text] = WHOLE['fluent-bit']
  const dir = scratch(t, { parts: {} })
  writeFileSync(join(dir, 'parts/a.conf'), text)
  writeFileSync(join(dir, 'main.conf'), '@INCLUDE parts/*.conf\n[SERVICE]\n    Parsers_File /etc/none/parsers.conf\n')
  const { code, out, err } = await inside(['convert', '--from', 'fluent-bit', join(dir, 'main.conf')])
  t.equal(code, 0, err)
  t.match(out, '/var/log/app.log')
  t.match(err, /:3: note: \[SERVICE\]: Parsers_File: the file is not here/)
  const piped = await inside(['convert', '--from', 'fluent-bit', '-'], text)
  t.match(piped, { code: 0, out: /^# Made of standard input by/ })
})

t.test('what cannot be converted prints nothing, and says why', async t => {
  const refused = async (peer: string, text: string) => {
    const { code, out, err } = await inside(['convert', '--from', peer, write(t, 'theirs', text)])
    t.strictSame([code, out], [2, ''], peer)
    return err
  }
  t.match(await refused('promtail', 'a: [\n'), /theirs:1: found a \[ that is not closed/)
  t.match(await refused('alloy', 'loki.write "x" {\n  endpoint {\n'), /theirs:3: found the end of the file/)
  t.match(await refused('vector', '[sources.a]\ninclude = [ $X ]\n'), /theirs:2: found text that is not TOML/)
  t.match(await refused('filebeat', 'filebeat.inputs: []\n'), /found no input that follows files/)
  t.match(await refused('promtail', WHOLE.filebeat[1]), /it looks like a configuration of filebeat/)
  t.match(await inside(['convert', '--from', 'vector', '/nonexistent/x']), { code: 2, err: /no such file/ })
})

t.test('a configuration of ours, right or wrong, is never taken for another’s', async t => {
  for (const text of [
    'sources: [ { paths: [/a], nonsense: 1 } ]\n',
    'backends: [ { type: lokki } ]\nsources: [ { paths: [/a] } ]\n',
  ]) {
    const { err } = await inside(['validate', write(t, 'config.yaml', text)])
    t.notMatch(err, /convert --from/)
  }
})
