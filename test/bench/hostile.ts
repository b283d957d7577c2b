/**
 * The guard against dear lines: what a line of 1 MiB costs that nearly matches, again and again, what is looked for in it.
 * CPU time of the whole stage, or of finding records, as a multiple of a plain loop over 1 MiB in the same moment: a slow
 * or a busy machine makes no line dear. Of both the least of several, since noise only adds; what seems dear is measured
 * again. Ends with code 1 if a line costs more than it may. CI runs it.
 *
 *     node test/bench/hostile.ts                    the lines of the list
 *     node test/bench/hostile.ts --search 200       and so many that are put together at random, for each step
 *     node test/bench/hostile.ts --only redact      steps whose names contain it; --all: every line that costs a quarter
 */
import { parseArgs } from 'node:util'
import { Budget } from '../../src/budget.ts'
import { Slab } from '../../src/chunk.ts'
import { Kernel } from '../../src/kernel/kernel.ts'
import { type PlanSubject, type Plans, planOf, rowBytes, tableBytes } from '../../src/process/plan.ts'
import { LITERALS } from '../../src/process/redact/rules.ts'
import { Stage } from '../../src/process/stage.ts'
import { random } from '../torture/program.ts'

const MIB = 1024 * 1024
const PAGE = 65_536
/** So many times the plain loop, which takes 1.3 ms on the machine on which no line may take more than 50 ms. */
const MOST = 38
const ROUNDS = 15
/** Milliseconds: more than a quarter of it is shown where all are. */
const DEAR = 50
/** How often a line is measured until it is dear. */
const TRIES = 3

const { values } = parseArgs({
  options: {
    search: { type: 'string', default: '0' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
  },
})

interface Step {
  readonly name: string
  readonly options: Partial<PlanSubject>
  /** What a line is made of. */
  readonly parts: readonly string[]
  /** What it begins with: without that a step looks no further. */
  readonly head?: string
}

const literals = Object.values(LITERALS).flatMap(list => list.map(({ text }) => text))
const SECRETS = [
  ...literals,
  ...literals.map(text => `${text}=`),
  ...literals.map(text => `"${text}":"`),
  ...literals.map(text => `\\"${text}\\":\\"`),
  ...['password={', 'password=[', '"password":{"a":', '"password":["', 'password="\\', "password='", 'password: '],
  ...['Authorization: ', 'Authorization: Bearer ', 'Bearer Bearer ', 'Basic dXNlcjpw', 'Basic ====', 'token token='],
  ...['://a:', '://a:a', '://:@', '://a@a:', '://@', ':\\/\\/a:', 'eyJhbGciOi.', 'eyJ.eyJ', 'eyJeyJ', 'eyJa.eyJa..'],
  ...['-----BEGIN PRIVATE KEY-----', '-----BEGIN A', '-----BEGIN RSA PRIVATE', '-----END ', '\\n', '\\\\\\\\'],
  ...['AKIAAAAAAAAAAAAAAAA', 'ghp_aaaaaaaaaa', 'xox-a', 'AIzaa', 'sk-sk-'],
]
const PERSONAL = [
  ...['a@', 'a@a', 'a.a@', '@', '@@a', 'a@a.', 'a@-', 'aaaaaaaa', 'a%40', '%40a', 'a@a.a', 'a@b.c.d@', '%4', '.@', '-'],
  ...['4', '41', '4111111111111112 ', '4111 1111 1111 111', '4-', '4 ', '4111-1111-1111-1112', '0', '00 ', '5', '37'],
  ...['GB82', 'GB82 WEST ', 'GB82WEST1234569876543', 'DE89 3704 0044 0532 0130 01 ', 'GB', 'GB8', 'NL00ABNA', 'A1'],
  ...['123-45-678', '1-', '123-45-', '000-00-0000', '1.', '1.1.1.', '256.1.1.1', '1.1.1.1.', '.1', '255.255.255.256'],
  ...[
    ':',
    '::',
    '1:',
    'a:',
    'a::',
    'f:f:f:f:f:f:f:',
    'fe80::1%',
    '::ffff:1.1.1.',
    '1:2:3:4:5:6:7:8:',
    'a:a::a::',
    ':1:',
  ],
]
const JSON_PARTS = [
  ...[
    '"a":1,',
    '"level":"',
    '"level":',
    '"message":',
    '{"a":',
    '[',
    '{',
    '}',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\"',
    '\\u0061',
  ],
  ...[
    '"\\u006cevel":"info",',
    '1',
    '-',
    '1e9',
    'tru',
    'null,',
    '"a":{"b":',
    '"req":{"method":',
    ' ',
    '\\\\',
    'é',
    '0.',
  ],
]
const LOGFMT = [
  'a=',
  'a',
  'a=1 ',
  'a="',
  'a="\\"',
  '=',
  '"',
  '\\',
  ' ',
  'level=',
  'a=b ',
  'level="\\',
  '"=',
  'é',
  '\\"',
]
const ACCESS = [
  ...[
    '1.1.1.1 ',
    '- ',
    '[23/Nov/2026:10:00:00 +0100] ',
    '"GET / HTTP/1.1" ',
    '200 ',
    '"',
    '\\"',
    '[',
    ']',
    ' ',
    '?',
    '\\',
  ],
  ...['"-" ', '\\x22', '::1 ', '[error] ', '1#1: ', '*1 ', '2026/11/27 07:36:15 '],
]
const WORDS = [
  'a',
  'b',
  'ab',
  ' ',
  '=',
  '1',
  '1 ms: ',
  'timeou',
  '1 ms: timeou',
  'x',
  'é',
  '"',
  'aaaaaaaa',
  ':',
  'kube-prob',
  '-',
]
const LINES = [
  'a.',
  'a.a',
  'Error',
  'Exception',
  'a.Exception',
  ' ',
  '\t',
  '-',
  '2026',
  '[',
  'a b',
  '/',
  'a/',
  'x(',
  ':',
  'é',
]

const ACCESS_HEAD = '1.1.1.1 - - [23/Nov/2026:10:00:00 +0100] "GET /'
const own = (match: string): Partial<PlanSubject> => ({
  parse: { match, types: {}, fields: [], else: 'keep' } as PlanSubject['parse'],
})
const dropping = (...expressions: string[]) => ({ filter: { dropMatching: expressions } }) as Partial<PlanSubject>

const STEPS: readonly Step[] = [
  { name: 'redact secrets', options: { redact: 'secrets' }, parts: SECRETS },
  { name: 'redact pii', options: { redact: 'pii' }, parts: PERSONAL },
  { name: 'redact both', options: { redact: ['secrets', 'pii'] }, parts: [...SECRETS, ...PERSONAL] },
  {
    name: 'redact keys',
    options: { redact: { keys: ['a', 'aa', 'b-c'] } } as never,
    parts: ['a', 'a=', '"a":"', 'aa', 'b-', 'b-c=', '='],
  },
  { name: 'parse json', options: { parse: 'json', time: 'auto', level: 'auto' }, parts: JSON_PARTS, head: '{"a":' },
  { name: 'parse json, a text', options: { parse: 'json' }, parts: JSON_PARTS, head: '{"a":"' },
  { name: 'parse logfmt', options: { parse: 'logfmt', level: 'auto' }, parts: LOGFMT },
  { name: 'parse nginx', options: { parse: 'nginx' }, parts: ACCESS, head: ACCESS_HEAD },
  {
    name: 'parse nginx, errors',
    options: { parse: 'nginx' },
    parts: ACCESS,
    head: '2026/11/27 07:36:15 [error] 1#1: ',
  },
  {
    name: 'parse many formats',
    options: { parse: ['json', 'logfmt', 'nginx', 'apache', 'klog', 'syslog'] },
    parts: [...LOGFMT, ...ACCESS],
  },
  { name: 'parse own, nested', options: own('(?P<a>(?:a+)+)b(?P<c>(?:a|aa)+)c'), parts: WORDS },
  { name: 'parse own, many stars', options: own('(?P<a>.*)a(?P<b>.*)b(?P<c>.*)1(?P<d>.*)x(?P<e>.*)!'), parts: WORDS },
  { name: 'parse own, counted', options: own('(?P<a>[ab]{1,8})(?P<b>[a1]{1,8})!'), parts: WORDS },
  { name: 'filter drop', options: { filter: { drop: ['aaaaaaaab', 'kube-probe', 'timeout'] } } as never, parts: WORDS },
  { name: 'filter nested', options: dropping('(?:a+)+!'), parts: WORDS },
  { name: 'filter stars', options: dropping('a.*b.*1.*x.*!', '\\d+ ms: .*timeout', '(?:a|aa)*b!'), parts: WORDS },
  { name: 'filter no bytes', options: dropping('^\\s*$', '[a-z]+[0-9]+[a-z]+-', '(?i)kube-probe'), parts: WORDS },
  { name: 'filter counted', options: dropping('[ab]{4,8}1', 'a.{1,6}!'), parts: WORDS },
  {
    name: 'time and level',
    options: { time: 'auto', level: 'auto' },
    parts: ['2026-', '[', '<', '1', 'Nov ', 'info', '23/', ' ', 'E', 'level='],
  },
  {
    name: 'multiline presets',
    options: { multiline: ['java', 'python', 'go', 'node', 'ruby', 'php', 'dotnet', 'rust'] },
    parts: LINES,
  },
  { name: 'multiline date', options: { multiline: 'date' }, parts: LINES },
  {
    name: 'multiline own',
    options: { multiline: { start: ['(?:a+)+!', 'x.*y.*!'], flush: 1000, maxLines: 0 } as never },
    parts: WORDS,
  },
]

/** CPU time of the least of several runs, in milliseconds. */
function least(prepare: () => void, work: () => void, rounds: number): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    prepare()
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1000)
  }
  return best
}

/** What a step costs that is laid down once, for any line. */
function costOf({ options, name }: Step): (line: Buffer, rounds: number) => number {
  const planned = planOf({ name: 'app', maxLineBytes: MIB, encoding: 'utf-8', ...options })
  if (planned.kind === 'problems' || planned.plan === undefined) throw new Error(`${name}: ${JSON.stringify(planned)}`)
  const { plan } = planned
  const plans: Plans = new Map([['app', plan]])
  const kernel = Kernel.create(64 * PAGE, tableBytes(plans) + (plan.multiline?.table.length ?? 0))
  const origin = { source: 'app', path: '/logs/app.log', generation: '0123456789abcdef', labels: {} }
  if (plan.multiline) {
    const rule = { ...plan.multiline, table: kernel.lay(plan.multiline.table) }
    const from = kernel.arena + PAGE
    return (line, rounds) =>
      least(
        () => line.copy(kernel.bytes, from),
        () => kernel.records(from, from + line.length, kernel.arena, 1000, 10, rule, true),
        rounds,
      )
  }
  const stage = new Stage(kernel, plans)
  return (line, rounds) => {
    let slab: Slab
    const prepare = (): void => {
      const budget = new Budget(kernel.arena, kernel.arenaBytes, PAGE)
      const chunk = {
        origin,
        fileStart: 0,
        owner: { settled: () => {} },
        readAt: Date.now(),
        cutFrom: 0,
        partial: false,
      }
      slab = Slab.holding(kernel.memory.buffer, budget, [{ ...chunk, lines: [line] }], rowBytes(plans))!
    }
    return least(prepare, () => stage.apply(slab, 0), rounds)
  }
}

const lineOf = (head: string, text: string): Buffer => {
  const line = Buffer.alloc(MIB, text, 'utf8')
  line.write(head)
  return line
}

const show = (text: string): string => JSON.stringify(text).slice(0, 60)
const PASSES = 4
const plain = Buffer.alloc(MIB, 'a timeout of 17 ms ')
/** What the loop makes, so that it is one. */
let hashed = 0

/** The plain loop: each byte depends on the one before (FNV-1a). Milliseconds of one pass. */
function reference(): number {
  const pass = (): void => {
    for (let n = 0; n < PASSES; n++) {
      let hash = 0x811c9dc5
      for (let at = 0; at < plain.length; at++) hash = Math.imul(hash ^ plain[at]!, 0x01000193)
      hashed = (hashed + hash) | 0
    }
  }
  return least(() => {}, pass, ROUNDS) / PASSES
}

console.log(`a plain loop ${reference().toFixed(2)} ms for 1 MiB; at most ${MOST} times that`)
let dear = false
for (const step of STEPS.filter(({ name }) => name.includes(values.only ?? ''))) {
  const cost = costOf(step)
  const next = random(17)
  const pick = () => step.parts[Math.floor(next() * step.parts.length)]!
  const texts = [
    ...step.parts,
    ...step.parts.map(part => `${part} `),
    ...Array.from({ length: Number(values.search) }, () =>
      Array.from({ length: 1 + Math.floor(next() * 5) }, () => pick().repeat(1 + Math.floor(next() ** 4 * 40))).join(
        '',
      ),
    ),
  ]
  let worst = { ms: 0, text: '' }
  for (const text of texts) {
    const line = lineOf(step.head ?? '', text)
    // Once says whether it is worth a closer look.
    let ms = cost(line, 1)
    if (ms > worst.ms) ms = cost(line, ROUNDS)
    if (ms > worst.ms) worst = { ms, text }
    if (values.all && ms > DEAR / 4) console.log(`        ${ms.toFixed(1)} ms: ${show(text)}`)
  }
  let times = worst.ms / reference()
  for (let tries = 1; times > MOST && tries < TRIES; tries++) {
    const ms = cost(lineOf(step.head ?? '', worst.text), ROUNDS)
    times = Math.min(times, ms / reference())
  }
  const bad = times > MOST
  dear ||= bad
  const figures = `${worst.ms.toFixed(1)} ms, ${times.toFixed(1)} × the plain loop`
  console.log(
    `${bad ? 'DEAR   ' : 'ok     '} ${step.name.padEnd(22)} ${figures} (${texts.length} lines; ${show(worst.text)})`,
  )
}
process.exitCode = dear || hashed === 0 ? 1 : 0
