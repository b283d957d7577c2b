/** How late a backend is, as the running program says on every page. */
import { appendFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { HealthReport } from '../../src/server/shipper-view.ts'
import { type Program, refuse, Stage, until } from '../program.ts'

t.jobs = 3

async function metric(program: Program, name: string): Promise<number> {
  const { text } = await program.get('/metrics')
  const line = text.split('\n').find(each => each.startsWith(`logshipper_${name}{`))!
  return Number(line.slice(line.lastIndexOf(' ')))
}

/** The lag by each page. */
async function everywhere(program: Program) {
  const health = JSON.parse((await program.get('/health')).text) as HealthReport
  const status = JSON.parse((await program.get('/status', 'adminPort')).text) as {
    pipelines: { lag: { seconds: number }[] }[]
    files: { cursors: { lagSeconds: number }[] }[]
  }
  return {
    metrics: await metric(program, 'lag_seconds'),
    health: health.backends[0]!.lagSeconds,
    status: status.pipelines[0]!.lag[0]!.seconds,
    file: Math.max(...status.files.flatMap(({ cursors }) => cursors.map(({ lagSeconds }) => lagSeconds))),
  }
}

function writing(t: Test, stage: Stage): () => void {
  const timer = setInterval(() => stage.write(20), 20)
  t.teardown(() => clearInterval(timer))
  return () => clearInterval(timer)
}

t.test('a file that is written all the time, and a backend that is never done with it, are not ever later', async t => {
  const stage = await Stage.set(t)
  // At every moment something is unacknowledged.
  stage.receiver.behaviour = (_request, response) => {
    setTimeout(() => response.writeHead(204).end(), 100)
    return true
  }
  const program = await stage.start()
  const began = performance.now()
  const stop = writing(t, stage)
  const isEarly = async () => {
    const elapsed = (performance.now() - began) / 1000
    return elapsed > 3 && (await metric(program, 'lag_seconds')) < elapsed / 2
  }
  t.ok(await until(isEarly), 'it is behind the last lines, not the first')
  stop()
  t.ok(await stage.arrived())
  // What was read beyond what the last look saw is late by the next one, if it is not acknowledged by then.
  t.ok(await until(async () => Object.values(await everywhere(program)).every(seconds => seconds === 0)))
  await program.kill('SIGTERM')
})

t.test('an outage makes it late, a death takes nothing off, and a backlog is late until it is worked off', async t => {
  const stage = await Stage.set(t)
  stage.receiver.behaviour = refuse(503)
  const first = await stage.start()
  const stop = writing(t, stage)
  t.ok(await until(async () => (await metric(first, 'lag_seconds')) >= 4))
  for (const [page, seconds] of Object.entries(await everywhere(first))) t.ok(seconds >= 4, `${page}: ${seconds}`)
  await first.kill('SIGKILL')
  const began = performance.now()
  const second = await stage.start()
  t.ok(await until(async () => (await metric(second, 'in_flight_seconds')) > 0))
  // Its last modification is a moment ago, but what comes first is as old as the outage.
  const [lag, inFlight] = [await metric(second, 'lag_seconds'), await metric(second, 'in_flight_seconds')]
  const age = (performance.now() - began) / 1000
  t.ok(lag > age, `it is late by ${lag} s, longer than the ${age} s that it has run`)
  t.ok(inFlight < age, 'though what it read it has read since')
  stop()
  stage.receiver.behaviour = undefined
  t.ok(await stage.arrived())
  t.ok(await until(async () => (await metric(second, 'lag_seconds')) === 0))
  await second.kill('SIGTERM')
  stage.complete(t, { once: false, ordered: false })
})

t.test('a last line without an end is behind, but not late: it is not due before it has one', async t => {
  const stage = await Stage.set(t)
  const program = await stage.start()
  stage.write(10)
  t.ok(await stage.arrived())
  appendFileSync(stage.log, 'and then')
  t.ok(await until(async () => (await metric(program, 'lag_bytes')) === 8))
  t.ok(await until(async () => (await metric(program, 'lag_seconds')) === 0))
  await program.kill('SIGTERM')
})
