/** After an unclean death the next start says what was left, and its numbers are true. */
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { refuse, Stage, until } from '../program.ts'

t.jobs = 2

const SENTENCE =
  'the process before this one was killed; what it had not seen acknowledged is sent now, some of it again'

/** All that a start reads: a death in the middle of a save leaves the temporary one whole. */
const CHECKPOINTS = ['checkpoint', 'checkpoint.previous', 'checkpoint.tmp']

/** Until the checkpoint says it. There is none before the first save, and for an instant in each. */
function saved(stage: Stage, text: string): Promise<boolean> {
  return until(() => {
    try {
      return readFileSync(join(stage.state, 'checkpoint'), 'latin1').includes(text)
    } catch {
      return false
    }
  }, 15)
}

t.test('a SIGKILL while nothing is accepted: all that lies there is counted as unsettled, and arrives', async t => {
  const stage = await Stage.set(t)
  stage.receiver.behaviour = refuse(503)
  const first = await stage.start()
  stage.write(1000)
  t.ok(await until(() => first.says('backend unavailable; retrying')))
  t.ok(await saved(stage, '"app'))
  await first.kill('SIGKILL')
  const next = await stage.start()
  t.ok(await until(() => next.says(SENTENCE)))
  const said = next.said.find(({ msg }) => msg === SENTENCE)!
  t.match(said, { unsettledBytes: statSync(stage.log).size, lostBytes: 0 })
  t.match(JSON.parse((await next.get('/health')).text), { previous: { kind: 'unclean', lostBytes: 0 } })
  t.match((await next.get('/metrics')).text, /^logshipper_last_shutdown_unclean 1$/m)
  stage.receiver.behaviour = undefined
  t.ok(await stage.arrived())
  t.equal((await next.kill('SIGTERM')).code, 0)
  const third = await stage.start()
  t.match(JSON.parse((await third.get('/health')).text), { previous: { kind: 'clean', unsettledBytes: 0 } })
  t.notOk(third.says(SENTENCE), 'an orderly end is not worth a word')
  await third.kill('SIGTERM')
})

t.test('what was deleted while it was down is counted as lost', async t => {
  const stage = await Stage.set(t)
  stage.receiver.behaviour = refuse(503)
  const first = await stage.start()
  stage.write(1000)
  t.ok(await until(() => first.says('backend unavailable; retrying')))
  const size = statSync(stage.log).size
  t.ok(await saved(stage, `"size":${size}`))
  await first.kill('SIGKILL')
  rmSync(stage.log)
  const next = await stage.start()
  t.ok(await until(() => next.says(SENTENCE)))
  t.match(
    next.said.find(({ msg }) => msg === SENTENCE),
    { unsettledBytes: 0, lostBytes: size },
  )
  await next.kill('SIGTERM')
})

t.test('compressed, or its checkpoint lost, while it was down: all of it is counted as unsettled', async t => {
  const stage = await Stage.set(t)
  stage.receiver.behaviour = refuse(503)
  const first = await stage.start()
  stage.write(1000)
  t.ok(await until(() => first.says('backend unavailable; retrying')))
  const { size } = statSync(stage.log)
  t.ok(await saved(stage, `"size":${size}`))
  await first.kill('SIGKILL')
  writeFileSync(`${stage.log}.1.gz`, gzipSync(readFileSync(stage.log)))
  rmSync(stage.log)
  const second = await stage.start()
  t.ok(await until(() => second.says(SENTENCE)))
  t.match(
    second.said.find(({ msg }) => msg === SENTENCE),
    { unsettledBytes: size, lostBytes: 0 },
    'what was compressed was found',
  )
  const { text } = await second.get('/metrics')
  t.match(text, `logshipper_last_shutdown_unsettled_bytes ${size}\n`, 'the metrics say the same')
  t.notMatch(text, 'logshipper_volume_seconds_left 0', 'what is not known is not there')
  await second.kill('SIGKILL')
  for (const name of CHECKPOINTS) writeFileSync(join(stage.state, name), 'damaged')
  appendFileSync(stage.log, 'x'.repeat(99))
  const third = await stage.start()
  t.ok(await until(() => third.says(SENTENCE)))
  t.match(
    JSON.parse((await third.get('/health')).text),
    { previous: { kind: 'unclean', unsettledBytes: 99 } },
    'without positions',
  )
  await third.kill('SIGKILL')
})

t.test('the volume’s limit is told from its content', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_VOLUME_SIZE_LIMIT: '10MiB' })
  mkdirSync(join(stage.logs, 'old'))
  appendFileSync(join(stage.logs, 'old/core'), Buffer.alloc(9.5 * 1024 ** 2, 'x'))
  const program = await stage.start()
  t.ok(await until(() => program.says('log volume is filling up')))
  t.match((await program.get('/metrics')).text, /^logshipper_volume_limit_bytes 10485760$/m)
  const { volume, memory } = JSON.parse((await program.get('/health')).text)
  t.ok(volume.bytes > 9 * 1024 ** 2)
  t.ok(memory.anonymous > 0 && memory.budget === 8 * 1024 ** 2)
  t.equal((await program.kill('SIGTERM')).code, 0)
})
