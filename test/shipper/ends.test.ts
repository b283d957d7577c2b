/** How the program ends, is stopped and begins again: with what it left, every number that was written has arrived. */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { PROGRAM, Program, refuse, Stage, sleep, until } from '../program.ts'
import { ENVIRONMENT, FLAGS } from '../support/image.ts'
import { leash } from '../support/leash.ts'
import { otherUser } from '../support/otheruser.ts'
import { mountTmpfs, withoutTmpfs } from '../support/tmpfs.ts'

t.jobs = 3

const ROOT = process.getuid?.() === 0
const skip = withoutTmpfs()

t.test(
  'SIGTERM while no backend accepts anything: 3 at the deadline, the sum of what is left, and the next one ships it',
  async t => {
    const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s' })
    stage.receiver.behaviour = refuse(503)
    const program = await stage.start()
    stage.write(100_000)
    t.ok(await until(() => program.says('backend unavailable; retrying')))
    const { code, ledger } = await program.kill('SIGTERM')
    t.equal(code, 3)
    const last = program.said.at(-1)!
    t.match(last, { msg: 'ended', complete: false })
    const left = last['left'] as { path: string; bytes: number }[]
    t.strictSame(
      left.map(({ path, bytes }) => [path, bytes]),
      [[stage.log, readFileSync(stage.log).length]],
      'what is left is the whole file',
    )
    t.equal(ledger[0]!.statement.delivered.lines, 0)
    stage.receiver.behaviour = undefined
    const next = await stage.start()
    t.ok(await stage.arrived())
    t.equal((await next.kill('SIGTERM')).code, 0)
    stage.complete(t)
  },
)

t.test('a receiver that comes back during the drain gets everything', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '10s' })
  stage.receiver.behaviour = refuse(503)
  const program = await stage.start()
  stage.write(50_000)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  program.child.kill('SIGTERM')
  t.ok(await until(() => program.says('draining')))
  const before = stage.receiver.requests
  t.ok(await until(() => stage.receiver.requests > before))
  stage.receiver.behaviour = undefined
  t.equal((await program.ended).code, 0)
  stage.complete(t)
})

t.test('an application that outlives SIGTERM is read as long as there is time, and no longer', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '3s', LOGSHIPPER_BACKEND_IDS: 'true' })
  const program = await stage.start()
  stage.write(10)
  t.ok(await stage.arrived())
  const writing = setInterval(() => stage.write(5), 5)
  t.teardown(() => clearInterval(writing))
  const { ledger } = await program.kill('SIGTERM')
  clearInterval(writing)
  t.ok(ledger[0]!.statement.delivered.lines <= stage.receiver.lines.length, 'it claims no more than was taken')
  const next = await stage.start()
  t.ok(await stage.arrived())
  t.equal((await next.kill('SIGTERM')).code, 0)
  // A line that was being written when the file was read at the end comes in two pieces, of which the first says so.
  const { records } = stage.receiver
  for (const piece of records.filter(({ partial }) => partial)) {
    const whole = /^\d{8} a line of the application$/
    const rests = records.filter(({ message }) => whole.test(piece.message + message))
    t.ok(rests.length > 0, `what follows ${piece.message}`)
    for (const rest of rests) records.splice(records.indexOf(rest), 1)
    const at = records.indexOf(piece)
    records.splice(at, 1, { ...piece, message: piece.message + rests[0]?.message })
  }
  // The request that was under way at the deadline may have been taken without our hearing of it.
  stage.complete(t, { once: false, ordered: false })
  t.equal(new Set(records.map(({ id }) => id)).size, stage.written)
})

t.test('SIGTERM at any moment of the start ends it at once, in order', async t => {
  // Longer than the test may take: whatever waits for its end fails.
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '1h' })
  stage.write(2000)
  // As the image starts it: one that lacks the flags becomes another process first, and what is sent to it in the midst
  // of that was lost in two runs of a great many.
  const image = { env: { ...stage.env, ...ENVIRONMENT }, args: [...FLAGS, PROGRAM] }
  for (const delay of [150, 250, 350, 500]) {
    const program = new Program(image.env, image.args, { command: process.execPath })
    t.teardown(() => program.child.kill('SIGKILL'))
    await sleep(delay)
    program.child.kill('SIGTERM')
    const over = await until(() => program.child.exitCode !== null || program.child.signalCode !== null)
    t.ok(over, `after ${delay} ms: it ended; it had said ${program.raw}`)
    if (!over) return
    const { code } = await program.ended
    // Before our first line of code has run there is no handler, and the signal itself ends the process.
    t.ok(code === 0 || code === 3 || code === null, `after ${delay} ms: ${code}`)
  }
  const last = await stage.start()
  t.ok(await stage.arrived())
  t.equal((await last.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('what the application deleted while the backend was down survives SIGKILL', async t => {
  const stage = await Stage.set(t)
  const first = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  stage.receiver.behaviour = refuse(503)
  const pinned = async () => JSON.parse((await first.get('/health')).text).pins.pinned as number
  for (let turn = 0; turn < 3; turn++) {
    stage.write(1000)
    renameSync(stage.log, `${stage.log}.1`)
    t.ok(await until(async () => (await pinned()) > turn), 'it is pinned')
    rmSync(`${stage.log}.1`)
  }
  stage.write(100)
  await first.kill('SIGKILL')
  stage.receiver.behaviour = undefined
  const second = await stage.start()
  t.ok(await stage.arrived())
  t.equal((await second.kill('SIGTERM')).code, 0)
  stage.complete(t, { once: false, ordered: false })
  const third = await stage.start()
  t.equal((await third.kill('SIGTERM')).code, 0)
  const kept = readdirSync(stage.state, { recursive: true }).map(String)
  t.notOk(
    kept.some(name => /pin/.test(name) && name.includes('/')),
    `no pin is left: ${kept.join(' ')}`,
  )
})

t.test('truncated and written anew while it was down: the new lines come, the old ones not again', async t => {
  const stage = await Stage.set(t)
  for (let life = 0; life < 4; life++) {
    const program = await stage.start()
    stage.write(100 + life)
    t.ok(await stage.arrived())
    t.equal((await program.kill('SIGTERM')).code, 0)
    truncateSync(stage.log)
    // Shorter, as long as, and longer than it was.
    stage.write([50, 101, 300, 1][life]!)
  }
  const last = await stage.start()
  t.ok(await stage.arrived())
  t.equal((await last.kill('SIGTERM')).code, 0)
  stage.complete(t)
})

t.test('a process that was stopped for a while goes on', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  program.child.kill('SIGSTOP')
  stage.write(100)
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(100)
  await sleep(300)
  program.child.kill('SIGCONT')
  t.ok(await stage.arrived())
  t.equal((await program.kill('SIGTERM')).code, 0)
  stage.complete(t, { ordered: false })
})

t.test('killed again and again while the backend fails now and then', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_BACKEND_IDS: 'true' })
  let asked = 0
  stage.receiver.behaviour = (request, response) => {
    const kind = ++asked % 4
    if (kind === 0) request.socket.destroy()
    else response.writeHead(kind === 1 ? 503 : 200).end()
    return kind !== 1
  }
  for (let life = 0; life < 4; life++) {
    const program = await stage.start()
    stage.write(100)
    // A name that was never seen leads nowhere: only then is a file that loses it looked for.
    t.ok(await until(() => stage.missing().length < 100))
    for (let turn = 0; turn < 8; turn++) {
      stage.write(200)
      if (turn % 3 === life % 3) renameSync(stage.log, `${stage.log}.${life}-${turn}`)
      await sleep(20)
    }
    await program.kill('SIGKILL')
  }
  stage.receiver.behaviour = undefined
  const last = await stage.start()
  t.ok(await stage.arrived())
  const { code, ledger } = await last.kill('SIGTERM')
  t.equal(code, 0)
  stage.complete(t, { once: false, ordered: false })
  t.equal(new Set(stage.receiver.records.map(({ id }) => id)).size, stage.written, 'ids tell what came twice')
  t.equal(ledger[0]!.statement.delivered.lines, stage.written)
})

t.test('a second program on one state directory is refused and named; the first one goes on', async t => {
  const stage = await Stage.set(t)
  const first = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  for (let attempt = 0; attempt < 2; attempt++) {
    const second = new Program(stage.env, [])
    t.equal((await second.ended).code, 2)
    t.match(second.said.at(-1)!.msg, `in use by another logshipper (process ${first.child.pid}`)
  }
  first.child.kill('SIGSTOP')
  const third = new Program(stage.env, [])
  t.equal((await third.ended).code, 2)
  t.match(third.said.at(-1)!.msg, 'a process that does not answer')
  first.child.kill('SIGCONT')
  stage.write(100)
  t.ok(await stage.arrived())
  // Whoever was killed has no claim any more, not even for a moment.
  let last = first
  for (let life = 0; life < 3; life++) {
    last.child.kill('SIGKILL')
    await once(last.child, 'exit')
    last = await stage.start()
    stage.write(10)
    t.ok(await stage.arrived())
  }
  t.equal((await last.kill('SIGTERM')).code, 0)
  t.strictSame(
    readdirSync(stage.state).filter(name => name.startsWith('claim')),
    [],
  )
  stage.complete(t, { once: false, ordered: false })
})

t.test('of several processes that start together on one state directory one gets the lock', async t => {
  const stage = await Stage.set(t)
  const dead = await stage.start()
  await dead.kill('SIGKILL')
  const all = Array.from({ length: 4 }, () => new Program(stage.env, []))
  const ends = all.map(async program => (await program.ended).code)
  t.ok(await until(() => all.filter(({ child }) => child.exitCode === 2).length === 3))
  const [one] = all.filter(({ child }) => child.exitCode === null)
  await one!.started
  await one!.kill('SIGTERM')
  t.strictSame((await Promise.all(ends)).toSorted(), [0, 2, 2, 2])
})

t.test('a terminal that goes away drains it, unless it was started to outlive that', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(100)
  appendFileSync(stage.log, 'no end')
  program.child.kill('SIGHUP')
  program.child.kill('SIGHUP')
  t.equal((await program.ended).code, 0)
  t.equal(stage.receiver.lines.pop(), 'no end')
  stage.receiver.records.pop()
  const script = 'trap "" HUP; exec "$0" "$1"'
  const nohup = leash(spawn('sh', ['-c', script, process.execPath, PROGRAM], { env: stage.env, stdio: 'ignore' }))
  t.teardown(() => nohup.kill('SIGKILL'))
  appendFileSync(stage.log, '\n')
  stage.write(100)
  t.ok(await stage.arrived())
  nohup.kill('SIGHUP')
  stage.write(100)
  t.ok(await stage.arrived())
  const ended = once(nohup, 'exit')
  nohup.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})

t.test('a request that is under way at the deadline may still have its answer', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_DRAIN_GRACE_PERIOD: '2s' })
  const program = await stage.start()
  const answers: ServerResponse[] = []
  stage.receiver.behaviour = (_request, response) => {
    answers.push(response)
    return true
  }
  stage.write(100)
  t.ok(await until(() => answers.length === 1))
  program.child.kill('SIGTERM')
  t.ok(await until(() => program.says('draining')))
  await sleep(1200)
  answers[0]!.writeHead(204).end()
  const { code, ledger } = await program.ended
  t.equal(code, 0)
  t.equal(ledger[0]!.statement.delivered.lines, 100)
  t.equal(answers.length, 1)
})

t.test('a working directory that was deleted is none of its business', async t => {
  const stage = await Stage.set(t)
  stage.write(10)
  const gone = join(dirname(stage.logs), 'gone')
  mkdirSync(gone)
  // What the test runner would load into it needs a working directory.
  const script = 'unset NODE_OPTIONS; cd "$2" && rmdir "$2" && exec "$0" "$1"'
  const child = leash(spawn('sh', ['-c', script, process.execPath, PROGRAM, gone], { env: stage.env, stdio: 'ignore' }))
  t.teardown(() => child.kill('SIGKILL'))
  t.ok(await stage.arrived())
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
})

t.test(
  'a state directory that may not be written to: it ships, says so, and saves when it may',
  { skip: ROOT && otherUser },
  async t => {
    const stage = await Stage.set(t)
    mkdirSync(stage.state, { mode: 0o555 })
    const nobody = ROOT ? { uid: 65534 } : {}
    if (ROOT) chownSync(stage.state, 65534, 65534)
    chmodSync(dirname(stage.logs), 0o755)
    const first = new Program(stage.env, [], nobody)
    t.teardown(() => first.child.kill('SIGKILL'))
    await first.started
    stage.write(100)
    t.ok(await stage.arrived())
    const state = async () => JSON.parse((await first.get('/health')).text).state
    t.ok(await until(async () => (await state()).kind === 'failing'))
    t.match(await state(), { kind: 'failing', code: 'EACCES' })
    chmodSync(stage.state, 0o755)
    stage.write(100)
    t.ok(await stage.arrived())
    t.ok(await until(async () => (await state()).kind === 'saved'), 'it is saved as soon as it can be')
    t.equal((await first.kill('SIGTERM')).code, 0)
    const second = new Program(stage.env, [], nobody)
    t.teardown(() => second.child.kill('SIGKILL'))
    await second.started
    stage.write(10)
    t.ok(await stage.arrived())
    t.equal((await second.kill('SIGTERM')).code, 0)
    stage.complete(t)
  },
)

t.test('a last save that fails: the exit code says so, and the log what is sent again', async t => {
  const stage = await Stage.set(t)
  const first = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  const saved = () => {
    try {
      return readFileSync(join(stage.state, 'checkpoint'), 'utf8').includes('"lines":100')
    } catch {
      // Between two renames there is none.
      return false
    }
  }
  t.ok(await until(saved))
  rmSync(stage.state, { recursive: true })
  writeFileSync(stage.state, 'no directory')
  const text = stage.take(10)
  appendFileSync(stage.log, text)
  t.ok(await stage.arrived())
  t.equal((await first.kill('SIGTERM')).code, 3, 'everything was drained, and not all of it is on disk')
  const notSaved = first.said.find(({ event }) => event === 'state_not_saved')
  t.match(notSaved, { code: 'NOT_PRIVATE', unsavedBytes: text.length }, 'what came since the last save')
  t.match(first.said.at(-1), { msg: 'ended', complete: true, saved: false, left: [] })
  rmSync(stage.state)
  const second = await stage.start()
  stage.write(1)
  t.ok(await stage.arrived())
  t.equal((await second.kill('SIGTERM')).code, 0, 'once it can be saved again all is well')
})

t.test('a volume without room for the state: it ships, says so, and saves when there is room', { skip }, async t => {
  const directory = mkdtempSync(join(tmpdir(), 'logshipper-state-'))
  const stage = await Stage.set(t, { LOGSHIPPER_STATE_DIR: directory })
  t.ok(mountTmpfs(directory, '128k'))
  t.teardown(() => {
    execFileSync('umount', ['-l', directory])
    rmdirSync(directory)
  })
  const ballast = join(directory, 'ballast')
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(ballast, Buffer.alloc(bavail * bsize))
  const first = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  const state = async () => JSON.parse((await first.get('/health')).text).state
  t.ok(await until(async () => (await state()).kind === 'failing'))
  t.match(await state(), { code: 'ENOSPC' })
  rmSync(ballast)
  stage.write(100)
  t.ok(await stage.arrived())
  t.ok(await until(async () => (await state()).kind === 'saved'))
  t.equal((await first.kill('SIGTERM')).code, 0)
  const second = await stage.start()
  stage.write(10)
  t.ok(await stage.arrived())
  t.equal((await second.kill('SIGTERM')).code, 0)
  stage.complete(t)
})
