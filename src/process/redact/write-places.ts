/**
 * Writes places.ts: for each literal of the presets, which three of its bytes the prefilter looks for, and in which bucket.
 * What is good together is found by trying, which takes seconds: too long for a start.
 *
 * Runs when a literal or the sample changes: `npm run places`. Whatever it finds, what is redacted is the same.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BUCKETS, bytesAt, LENGTH, SAMPLE } from './prefilter.ts'
import { LITERALS, type Literal } from './rules.ts'

const TRIES = 60_000
/** What passes and is the three bytes of a literal is compared with all of it: that costs as much as so many others. */
const WHOLE = 4
/** How much a line of the sample counts beside prose and code, which are there for what the sample does not have. */
const WEIGHT = 60
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** More of what logs are made of than is needed for names of one's own. */
const LINES = [
  '2026-11-23T10:44:00.118 INFO  [worker-4] com.example.http.Router - user session refreshed, took 680 ms',
  '2026-11-23 10:44:00.118 WARN 1 --- [pool-2-thread-7] o.s.b.f.s.DefaultListableBeanFactory : payment authorised by gateway',
  '2026-11-23 10:44:00,118 DEBUG [scheduler-1] org.framework.web.FilterChain - cache miss, falling back to the database',
  '\tat org.apache.catalina.core.ApplicationFilterChain.internalDoFilter(ApplicationFilterChain.java:240) [tomcat.jar:9.0]',
  '\tat java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:628) ~[spring-core-5.3.20.jar:5.3.20]',
  'Caused by: java.net.SocketTimeoutException: connect timed out after 30000 ms while waiting for a connection',
  '{"level":30,"time":1732355040118,"pid":19793,"hostname":"web-7c9d666f","name":"shop","reqId":"req-1f2","msg":"started"}',
  '{"severity":"INFO","logger":"http.server","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","responseTime":655.2,"ok":true}',
  'I1123 10:44:00.118345       1 reconciler.go:224] "Reconciler: start to sync state" pod="kube-system/coredns-7d8" uid="a1b2"',
  'E1123 10:44:00.118345       1 leaderelection.go:330] error retrieving resource lock default/lock: context deadline exceeded',
  '2026/11/23 10:44:00 [error] 31#31: *5821 upstream timed out (110: Connection timed out) while reading response header',
  '127.0.0.1 - - [23/Nov/2026:10:44:00 +0000] "POST /api/v1/orders?id=648416 HTTP/1.1" 304 12552 "-" "python-requests/2.31"',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0',
  'ts=2026-11-23T10:44:00.118Z level=info component=compactor msg="compact blocks" duration=3.2s mint=1732355040 ulid=01HXYZ',
  '[2026-11-23 10:44:00,118: INFO/MainProcess] Task app.tasks.send_mail[4bf92f35] succeeded in 0.118s: None',
  'Nov 23 10:44:00 node-7 systemd[1]: Started Session 42 of user root. kernel: [12345.678] eth0: link becomes ready',
  '  File "/usr/local/lib/python3.12/site-packages/django/core/handlers/base.py", line 197, in _get_response',
  'GET /assets/main.3f9a8b7c.js 200 1.204 ms - 4321 method=GET path=/health format=json controller=HealthController',
  'kafka.consumer.Fetcher: [Consumer clientId=consumer-1, groupId=orders] Resetting offset for partition orders-3 to 128834',
  'replica set primary stepped down; election timeout elapsed, starting an election at term 12 for candidate 10.0.0.4:27017',
  'container started image=registry.example.com/team/service:1.4.2 namespace=production pod=service-7c9d666f-abcde node=ip-10-0',
  'cluster autoscaler: scale up from 3 to 4 nodes, backend marked unhealthy, ticker stopped, broker unavailable, checker ok',
]

function sample(): Map<string, number> {
  const counts = new Map<string, number>()
  const add = (text: string, weight: number): void => {
    for (let at = 0; at + LENGTH <= text.length; at++) {
      const three = text.slice(at, at + LENGTH)
      counts.set(three, (counts.get(three) ?? 0) + weight)
    }
  }
  add(SAMPLE, WEIGHT)
  for (const line of LINES) add(line, WEIGHT)
  for (const name of readdirSync(`${ROOT}docs`))
    if (name.endsWith('.md')) add(readFileSync(`${ROOT}docs/${name}`, 'latin1'), 1)
  return counts
}

const counts = sample()
const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
const threes = [...counts].map(([three, count]) => ({ bytes: Buffer.from(three, 'latin1'), count: count / total }))

interface Choice {
  readonly literal: Literal
  place: number
  bucket: number
}

/** What a bucket costs: how often it passes, of the sample, and a little for all that could be written. */
function rate(choices: readonly Choice[], whole = WHOLE): number {
  if (choices.length === 0) return 0
  const halves = Array.from({ length: LENGTH }, () => [0, 0])
  for (const { literal, place } of choices) {
    for (const [n, half] of halves.entries()) {
      for (const byte of bytesAt(literal, place + n)) {
        half[0]! |= 1 << (byte & 15)
        half[1]! |= 1 << (byte >> 4)
      }
    }
  }
  let passes = 0
  for (const { bytes, count } of threes) {
    let n = 0
    while (n < LENGTH && ((halves[n]![0]! >> (bytes[n]! & 15)) & (halves[n]![1]! >> (bytes[n]! >> 4)) & 1) === 1) n++
    if (n === LENGTH) passes += choices.some(each => isAt(each, bytes)) ? whole * count : count
  }
  const bits = (value: number) => value.toString(2).replaceAll('0', '').length
  return passes + halves.reduce((product, [low, high]) => product * bits(low!) * bits(high!), 1) / 50_000_000
}

function isAt({ literal, place }: Choice, bytes: Buffer): boolean {
  return bytes.every((byte, n) => bytesAt(literal, place + n).includes(byte))
}

/** Numbers that are the same in each run. */
let seed = 1
function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}

const literals = [...new Map(Object.values(LITERALS).flatMap(all => all.map(each => [each.text, each]))).values()]
const choices: Choice[] = literals.map((literal, n) => ({ literal, place: 0, bucket: n % BUCKETS }))
const of = (bucket: number): Choice[] => choices.filter(each => each.bucket === bucket)
const rates = Array.from({ length: BUCKETS }, (_, bucket) => rate(of(bucket)))
const key = ({ literal, place }: Choice): string => literal.text.slice(place, place + LENGTH)
for (let n = 0; n < TRIES; n++) {
  const chosen = choices[random(choices.length)]!
  const [place, bucket] = [random(Math.max(1, chosen.literal.text.length - LENGTH + 1)), random(BUCKETS)]
  // All that have the same three bytes go together, at times.
  const movers = random(2) === 0 ? [chosen] : choices.filter(each => key(each) === key(chosen))
  const text = chosen.literal.text.slice(place, place + LENGTH)
  const before = movers.map(each => ({ place: each.place, bucket: each.bucket }))
  const touched = [...new Set([bucket, ...movers.map(each => each.bucket)])]
  for (const each of movers) {
    const at = each === chosen ? place : each.literal.text.indexOf(text)
    if (at >= 0) Object.assign(each, { place: at, bucket })
  }
  const now = touched.map(each => rate(of(each)))
  const change = now.reduce((sum, value, index) => sum + value - rates[touched[index]!]!, 0)
  const heat = 3e-5 * (1 - n / TRIES) ** 3
  if (change <= 0 || random(1_000_000) / 1_000_000 < Math.exp(-change / heat)) {
    for (const [index, each] of touched.entries()) rates[each] = now[index]!
  } else for (const [index, each] of movers.entries()) Object.assign(each, before[index])
}

const sumOf = (whole: number): number => rates.reduce((all, _, bucket) => all + rate(of(bucket), whole), 0)
const sum = sumOf(1)
const found = `one place in ${Math.round(1 / sum)} passes, one in ${Math.round(1 / (sumOf(2) - sum))} as a literal's`
const rows = choices.map(
  ({ literal, place, bucket }) => `  ['${literal.text.replaceAll('\\', '\\\\')}', ${place}, ${bucket}],`,
)
writeFileSync(
  fileURLToPath(new URL('./places.ts', import.meta.url)),
  [
    '/**',
    ' * Of each literal the place of the three bytes that the prefilter looks for, and its bucket. Written by write-places.ts;',
    ` * of its sample ${found}.`,
    ' */',
    'export const PLACES: readonly (readonly [text: string, place: number, bucket: number])[] = [',
    ...rows,
    ']',
    '',
  ].join('\n'),
)
process.stdout.write(`of the sample ${found}\n`)
