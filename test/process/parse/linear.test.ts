/** No record takes longer than its length says: four times as much of anything takes about four times as long. */
import t from 'tap'
import { Finder, planFor } from './found.ts'

const SMALL = 16 * 1024
const ROUNDS = 40

const { plan } = planFor({ parse: ['json', 'logfmt', 'docker', 'cri', 'nginx', 'syslog'] }, [
  ['a'],
  ['a.b.c'],
  ['deep.er'],
])
const finder = new Finder(plan, 64 * 65536)

/** Milliseconds of this process's CPU that records of about so many bytes take: the least of several attempts. */
function cost(record: string): number {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = process.cpuUsage()
    for (let n = 0; n < ROUNDS; n++) finder.find([record])
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

const repeated = (piece: string, bytes: number) => piece.repeat(Math.ceil(bytes / piece.length))

const HOSTILE: Record<string, (bytes: number) => string> = {
  'an object that is never closed': bytes => repeated('{"a":', bytes),
  'arrays in arrays': bytes => `{"a":${repeated('[', bytes)}`,
  'a text of backslashes': bytes => `{"a":"${repeated('\\\\', bytes)}`,
  'names with escapes': bytes => `{${repeated('"\\u0061\\u0061":1,', bytes)}"a":1}`,
  'the same name over and over': bytes => `{${repeated('"a":1,', bytes)}"a":1}`,
  'a long name with escapes': bytes => `{"${repeated('\\u0061', bytes)}":1}`,
  'white space': bytes => `{${repeated(' ', bytes)}"a":1}`,
  digits: bytes => `{"a":${repeated('1', bytes)}}`,
  'quotes of pairs': bytes => repeated('a="\\" ', bytes),
  'names of pairs without a value': bytes => repeated('a', bytes),
  pairs: bytes => repeated('a=1 ', bytes),
  'spaces of an access log': bytes => repeated('a - [', bytes),
  'quotes of an access log': bytes => `1 - - [x] "GET ${repeated('\\"', bytes)}`,
  'brackets of syslog': bytes => `<1>1 a b c d e [${repeated('\\][', bytes)}`,
  'a prefix of CRI that does not end': bytes => `2026-11-23T10:00:00Z stdout ${repeated('F:', bytes)}`,
}

for (const [name, make] of Object.entries(HOSTILE)) {
  t.test(`${name}: linear`, async t => {
    cost(make(SMALL))
    const [once, fourfold] = [cost(make(SMALL)), cost(make(4 * SMALL))]
    // Quadratic would be sixteen times as much. What each call takes by itself is in both.
    t.ok(fourfold < 9 * once + 20, `${once.toFixed(1)} ms, ${fourfold.toFixed(1)} ms`)
  })
}
