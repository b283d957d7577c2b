/** A rotated file that is overwritten with noise before it is removed (`shred`): the noise is no log. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, statSync } from 'node:fs'
import t from 'tap'
import { refuse, Stage, until } from '../program.ts'
import { isThere } from './rotation.ts'

t.setTimeout(170_000)

const BYTES = 35
const skip = isThere('shred') ? false : 'shred is not installed'

async function shred(path: string, stage: Stage): Promise<void> {
  const child = spawn('shred', ['-n', '30', '-u', path], { stdio: 'ignore' })
  let shredding = true
  const ended = once(child, 'exit').then(() => (shredding = false))
  while (shredding) {
    stage.write(1)
    await Promise.race([ended, new Promise(resolve => setTimeout(resolve, 20))])
  }
}

t.test('what was delivered is no loss, and no noise is shipped', { skip }, async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(40_000)
  t.ok(await stage.arrived())
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(10)
  t.ok(await stage.arrived())
  await shred(`${stage.log}.1`, stage)
  t.ok(await stage.arrived())
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t)
  const { delivered, lostBytes } = ledger[0]!.statement
  t.strictSame({ bytes: delivered.bytes, lostBytes }, { bytes: stage.written * BYTES, lostBytes: 0 })
})

t.test('what was not read yet is counted, and no noise is shipped', { skip }, async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_MEMORY_BUDGET: '4MiB' })
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  stage.receiver.behaviour = refuse(503)
  stage.write(200_000)
  const { size } = statSync(stage.log)
  t.ok(
    await until(async () => {
      const { files } = JSON.parse((await program.get('/status', 'adminPort')).text) as { files: { size: number }[] }
      return files.some(file => file.size === size)
    }),
    'it is seen',
  )
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(10)
  await shred(`${stage.log}.1`, stage)
  const last = stage.written - 1
  stage.receiver.behaviour = undefined
  t.ok(await until(() => stage.numbers().includes(last), 30), 'what was written meanwhile arrives')
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const noise = stage.receiver.lines.filter(line => !/^\d{8} a line of the application$/.test(line))
  t.strictSame(noise.length, 0, 'no noise is shipped')
  const { delivered, lostBytes } = ledger[0]!.statement
  t.ok(lostBytes > 0, 'there was more than memory holds')
  t.equal(delivered.bytes + lostBytes, stage.written * BYTES, 'written = delivered + lost')
  t.equal(new Set(stage.numbers()).size, stage.receiver.records.length, 'nothing comes twice')
})
