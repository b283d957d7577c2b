/**
 * What applications and rotators do to files and directories, also between two looks and while no backend accepts
 * anything.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Ended, type Program, refuse, Stage, sleep, until } from '../program.ts'

t.jobs = 3

/** The chain of `rotate 3`: .2 becomes .3, .1 becomes .2, the file itself .1. */
function chain(path: string, keep = 3): void {
  rmSync(`${path}.${keep}`, { force: true })
  for (let n = keep - 1; n >= 1; n--) if (existsSync(`${path}.${n}`)) renameSync(`${path}.${n}`, `${path}.${n + 1}`)
  renameSync(path, `${path}.1`)
}

/** Waits until the program has seen so many bytes on the volume. */
function seen(program: Program, bytes: number): Promise<boolean> {
  return until(async () => {
    const { files } = JSON.parse((await program.get('/status', 'adminPort')).text) as { files: { size: number }[] }
    return files.reduce((sum, { size }) => sum + size, 0) >= bytes
  })
}

/** Ends it in order: everything was delivered once, nothing lost, and the sums are those of the receiver. */
async function finish(t: Test, stage: Stage, program: Program, options: { ordered?: boolean } = {}): Promise<Ended> {
  t.ok(await stage.arrived(), 'everything arrives')
  const ended = await program.kill('SIGTERM')
  t.equal(ended.code, 0)
  stage.complete(t, options)
  const { delivered, lostBytes } = ended.ledger[0]!.statement
  t.equal(delivered.lines, stage.receiver.records.length, 'the ledger has what the receiver has')
  t.equal(lostBytes, 0)
  return ended
}

const whileUp: Record<string, (stage: Stage) => void> = {
  'renamed and created anew': ({ log }) => {
    renameSync(log, `${log}.1`)
    writeFileSync(log, '')
  },
  'renamed, and written to under its new name': stage => {
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(20, `${stage.log}.1`)
    writeFileSync(stage.log, '')
  },
  'copied outside the pattern and truncated': ({ log }) => {
    copyFileSync(log, `${log}.1`)
    truncateSync(log)
  },
  'copied inside the pattern and truncated': ({ logs, log }) => {
    copyFileSync(log, join(logs, `app-${Date.now()}.log`))
    truncateSync(log)
  },
  'deleted and created anew': ({ log }) => {
    rmSync(log)
    writeFileSync(log, '')
  },
}

for (const [kind, rotate] of Object.entries(whileUp)) {
  t.test(`a file that is ${kind} arrives whole, once and in order`, async t => {
    const stage = await Stage.set(t)
    const program = await stage.start()
    for (let turn = 0; turn < 3; turn++) {
      stage.write(200)
      t.ok(await stage.arrived())
      stage.write(turn * 10)
      // A deleted file is gone for good unless it was seen before: that is the only thing to wait for.
      await stage.arrived()
      rotate(stage)
      rmSync(`${stage.log}.1`, { force: true })
      await sleep(turn * 60)
    }
    stage.write(100)
    await finish(t, stage, program)
  })
}

t.test('a chain of three rotations while the backend is down loses nothing, though the oldest is deleted', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  stage.receiver.behaviour = refuse(503)
  for (let turn = 0; turn < 5; turn++) {
    stage.write(300)
    // Seen once is enough: from then on its handle keeps it.
    await sleep(300)
    chain(stage.log)
  }
  stage.receiver.behaviour = undefined
  await finish(t, stage, program, { ordered: false })
})

t.test('a chain of rotations within the pattern: every line once, in order', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start({ LOGSHIPPER_SOURCE_PATHS: `${stage.logs}/app.log*` })
  for (let turn = 0; turn < 6; turn++) {
    stage.write(100)
    t.ok(await stage.arrived())
    chain(stage.log)
  }
  stage.write(100)
  await finish(t, stage, program)
})

t.test('the writer keeps its old file long after it was moved out of the directory', async t => {
  const stage = await Stage.set(t)
  const away = join(stage.logs, 'archive')
  mkdirSync(away)
  const program = await stage.start()
  const old = openSync(stage.log, 'a')
  writeSync(old, stage.take(50))
  t.ok(await stage.arrived())
  renameSync(stage.log, join(away, 'moved'))
  for (let turn = 0; turn < 10; turn++) {
    writeSync(old, stage.take(20))
    t.ok(await stage.arrived(), 'it is still followed')
    stage.write(5)
    t.ok(await stage.arrived())
  }
  closeSync(old)
  await finish(t, stage, program)
})

t.test('copied and truncated while the backend is down: what was not read yet comes from the copy', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_MEMORY_BUDGET: '4MiB' })
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  stage.receiver.behaviour = refuse(503)
  stage.write(200_000)
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  t.ok(await seen(program, stage.written * 35))
  copyFileSync(stage.log, `${stage.log}.1`)
  truncateSync(stage.log)
  stage.write(100)
  stage.receiver.behaviour = undefined
  await finish(t, stage, program, { ordered: false })
})

t.test('a copy that was begun before we stood still is known by the truncation that explains it', async t => {
  const stage = await Stage.set(t)
  stage.env['LOGSHIPPER_SOURCE_PATHS'] = `${stage.log}*`
  const program = await stage.start()
  stage.write(100)
  t.ok(await stage.arrived())
  const content = readFileSync(stage.log)
  writeFileSync(`${stage.log}.1`, content.subarray(0, 350))
  await sleep(500)
  program.child.kill('SIGSTOP')
  appendFileSync(`${stage.log}.1`, content.subarray(350))
  truncateSync(stage.log)
  stage.write(50)
  await sleep(6000)
  program.child.kill('SIGCONT')
  await finish(t, stage, program, { ordered: false })
})

t.test('truncated without a copy while the backend is down: what could not be read is counted', async t => {
  const stage = await Stage.set(t, { LOGSHIPPER_MEMORY_BUDGET: '4MiB' })
  const program = await stage.start()
  stage.receiver.behaviour = refuse(503)
  stage.write(200_000)
  const size = stage.written * 35
  t.ok(await until(() => program.says('backend unavailable; retrying')))
  t.ok(await seen(program, size))
  truncateSync(stage.log)
  const gone = stage.written
  stage.write(100)
  stage.receiver.behaviour = undefined
  t.ok(await until(() => stage.numbers().filter(n => n >= gone).length === 100))
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  const { delivered, lostBytes } = ledger[0]!.statement
  t.ok(lostBytes > 0, 'there was more than memory holds')
  t.equal(delivered.bytes + lostBytes, stage.written * 35, 'written = delivered + lost')
  t.equal(delivered.lines, stage.receiver.records.length)
  t.equal(new Set(stage.numbers()).size, stage.receiver.records.length, 'nothing comes twice')
})

const whileDown: Record<string, (stage: Stage) => void> = {
  'rotated twice, so that a whole file came and went': stage => {
    stage.write(30)
    chain(stage.log)
    stage.write(30)
    chain(stage.log)
    stage.write(30)
  },
  'copied and truncated': stage => {
    stage.write(30)
    copyFileSync(stage.log, `${stage.log}.1`)
    truncateSync(stage.log)
    stage.write(30)
  },
  'copied and truncated twice': stage => {
    for (let turn = 0; turn < 2; turn++) {
      stage.write(30)
      if (existsSync(`${stage.log}.1`)) renameSync(`${stage.log}.1`, `${stage.log}.2`)
      copyFileSync(stage.log, `${stage.log}.1`)
      truncateSync(stage.log)
    }
    stage.write(30)
  },
  'rotated and compressed': stage => {
    stage.write(30)
    chain(stage.log)
    execFileSync('gzip', [`${stage.log}.1`])
    stage.write(30)
  },
  'rotated, compressed, and rotated again': stage => {
    stage.write(30)
    chain(stage.log)
    execFileSync('gzip', [`${stage.log}.1`])
    renameSync(`${stage.log}.1.gz`, `${stage.log}.2.gz`)
    stage.write(30)
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(30)
  },
  'deleted and written anew, longer than it was': stage => {
    rmSync(stage.log)
    stage.write(400)
  },
  'replaced by a file that was written elsewhere': stage => {
    stage.write(300, `${stage.log}.new`)
    renameSync(`${stage.log}.new`, stage.log)
  },
  'renamed to a name of another kind, and written on under both': stage => {
    stage.write(50)
    renameSync(stage.log, join(stage.logs, 'some other name'))
    stage.write(50, join(stage.logs, 'some other name'))
    stage.write(50)
  },
  'only appended to, under another name of the pattern': stage => {
    renameSync(stage.log, join(stage.logs, 'other.log'))
    stage.write(30, join(stage.logs, 'other.log'))
  },
}

for (const [what, change] of Object.entries(whileDown)) {
  t.test(`${what}, while the program was down: it goes on where it stopped`, async t => {
    const stage = await Stage.set(t)
    const first = await stage.start()
    stage.write(100)
    t.ok(await stage.arrived())
    t.equal((await first.kill('SIGTERM')).code, 0)
    change(stage)
    await finish(t, stage, await stage.start(), { ordered: false })
  })
}

t.test('a file that is replaced by one written elsewhere, again and again', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (let turn = 0; turn < 8; turn++) {
    stage.write(10 + turn, `${stage.log}.new`)
    renameSync(`${stage.log}.new`, stage.log)
    t.ok(await stage.arrived())
  }
  await finish(t, stage, program)
})

t.test('the whole directory is moved away and made anew', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (let turn = 0; turn < 3; turn++) {
    stage.write(50)
    t.ok(await stage.arrived())
    const late = openSync(stage.log, 'a')
    renameSync(stage.logs, `${stage.logs}-${turn}`)
    writeSync(late, stage.take(10))
    closeSync(late)
    t.ok(await stage.arrived(), 'what is still written to the old directory comes')
    mkdirSync(stage.logs)
  }
  stage.write(50)
  await finish(t, stage, program)
})

t.test('the directory is deleted with all that is in it, and comes back', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (let turn = 0; turn < 3; turn++) {
    stage.write(50)
    t.ok(await stage.arrived())
    rmSync(stage.logs, { recursive: true })
    mkdirSync(stage.logs)
  }
  stage.write(50)
  await finish(t, stage, program)
})

t.test('a link that is turned to the next file, as date-named logs have it', async t => {
  const stage = await Stage.set(t)
  const current = join(stage.logs, 'current.log')
  const program = await stage.start({ LOGSHIPPER_SOURCE_PATHS: current })
  for (let day = 1; day <= 4; day++) {
    const path = join(stage.logs, `2026-01-0${day}.txt`)
    stage.write(30, path)
    rmSync(current, { force: true })
    symlinkSync(path, current)
    t.ok(await stage.arrived())
    stage.write(30, path)
    // The next one is turned to before these have been looked at.
  }
  await finish(t, stage, program)
})

t.test('one file under two names is one file', async t => {
  const stage = await Stage.set(t)
  stage.write(50)
  linkSync(stage.log, join(stage.logs, 'twin.log'))
  const program = await stage.start()
  t.ok(await stage.arrived())
  stage.write(50)
  t.ok(await stage.arrived())
  rmSync(stage.log)
  stage.write(50, join(stage.logs, 'twin.log'))
  await finish(t, stage, program)
})

t.test('renamed and renamed back: nothing comes twice', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  for (let turn = 0; turn < 5; turn++) {
    stage.write(20)
    t.ok(await stage.arrived())
    renameSync(stage.log, `${stage.log}.1`)
    stage.write(20, `${stage.log}.1`)
    t.ok(await stage.arrived())
    renameSync(`${stage.log}.1`, stage.log)
  }
  await finish(t, stage, program)
})

t.test('a line that is cut by a rotation is one line, and the halves of two files are never joined', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const line = stage.take(1)
  appendFileSync(stage.log, line.slice(0, 20))
  t.ok(await seen(program, 20))
  renameSync(stage.log, `${stage.log}.1`)
  stage.write(10)
  t.ok(await until(() => stage.receiver.lines.length === 10))
  appendFileSync(`${stage.log}.1`, line.slice(20))
  await finish(t, stage, program, { ordered: false })
})

t.test('many files that rotate at once keep each its order', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  const names = Array.from({ length: 40 }, (_, n) => join(stage.logs, `app-${n}.log`))
  let turn = 0
  const counts = new Map<string, number>()
  const write = () => {
    for (const [n, name] of names.entries()) {
      let text = ''
      for (let line = 0; line < 5; line++) {
        const next = counts.get(name) ?? 0
        counts.set(name, next + 1)
        text += `file ${n} line ${next}\n`
      }
      appendFileSync(name, text)
    }
  }
  for (; turn < 5; turn++) {
    write()
    t.ok(await until(() => stage.receiver.lines.length === 40 * 5 * (2 * turn + 1)))
    write()
    t.ok(await until(() => stage.receiver.lines.length === 40 * 5 * (2 * turn + 2)))
    for (const name of names) renameSync(name, `${name}.${turn}`)
  }
  const { code, ledger } = await program.kill('SIGTERM')
  t.equal(code, 0)
  t.equal(ledger[0]!.statement.delivered.lines, 2000)
  for (const n of names.keys()) {
    const own = stage.receiver.lines.filter(line => line.startsWith(`file ${n} `))
    t.strictSame(
      own,
      Array.from({ length: 50 }, (_, line) => `file ${n} line ${line}`),
    )
  }
})
