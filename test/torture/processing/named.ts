/** Programs that are always run: what must not go wrong in the middle of a record. */
import type { Action, Program } from './program.ts'
import { FLUSH } from './sources.ts'

const LATE = FLUSH * 3
const kill: readonly Action[] = [{ do: 'kill' }, { do: 'start' }]
const settle: Action = { do: 'settle' }
const wait = (ms: number): Action => ({ do: 'wait', ms })

export const NAMED: readonly Program[] = named({
  'killed between a flush and its continuation': [
    { do: 'append', source: 'java', records: 2 },
    { do: 'begin', source: 'java', lines: 2, half: false, kind: 'java' },
    wait(LATE),
    { do: 'kill' },
    { do: 'go on', source: 'java' },
    { do: 'start' },
    settle,
  ],
  'killed between a flush that was not heard and its continuation': [
    { do: 'append', source: 'own', records: 2 },
    settle,
    { do: 'begin', source: 'own', lines: 1, half: false, kind: 'own' },
    { do: 'fault', backend: 'left', fault: { kind: 'resetAfter' }, times: 1 },
    wait(LATE),
    ...kill,
    { do: 'go on', source: 'own' },
    settle,
  ],
  'ended in order between two lines of a record': [
    { do: 'begin', source: 'mixed', lines: 3, half: false, kind: 'python' },
    { do: 'stop', grace: 10 },
    { do: 'start' },
    { do: 'go on', source: 'mixed' },
    settle,
  ],
  'ended in order amid a line of a record': [
    { do: 'begin', source: 'java', lines: 2, half: true, kind: 'java' },
    { do: 'stop', grace: 10 },
    { do: 'go on', source: 'java' },
    { do: 'start' },
    settle,
  ],
  'a record that is written slowly, but never as slowly as the timer': [
    { do: 'pieces', source: 'java', pieces: 6, pause: FLUSH * 0.6, kind: 'java' },
    { do: 'pieces', source: 'own', pieces: 6, pause: FLUSH * 0.6, kind: 'own' },
    { do: 'pieces', source: 'mixed', pieces: 6, pause: FLUSH * 0.6, kind: 'python' },
    { do: 'pieces', source: 'ended', pieces: 6, pause: FLUSH * 0.6, kind: 'ended' },
    settle,
  ],
  'a backlog of many records while both backends are down': [
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'append', source: 'java', records: 1500, kind: 'java' },
    { do: 'append', source: 'mixed', records: 1500 },
    wait(LATE),
    ...kill,
    { do: 'append', source: 'java', records: 500, kind: 'java' },
    settle,
  ],
  'rotated and reloaded amid a record': [
    { do: 'begin', source: 'java', lines: 2, half: false, kind: 'java' },
    { do: 'rotate', source: 'java', create: true },
    { do: 'reload' },
    { do: 'go on', source: 'java' },
    { do: 'begin', source: 'java', lines: 2, half: false, kind: 'java' },
    { do: 'reload' },
    { do: 'go on', source: 'java' },
    settle,
  ],
  'lines beyond every limit amid records': [
    ...[5000, 8191, 8192, 8193, 300_000, 600_000].map((bytes): Action => ({ do: 'long', source: 'own', bytes })),
    ...[8192, 8193, 300_000].map((bytes): Action => ({ do: 'long', source: 'java', bytes })),
    ...[8192, 8193, 300_000].map((bytes): Action => ({ do: 'long', source: 'json', bytes })),
    settle,
  ],
  'dropped for what redaction left': [
    { do: 'unwanted', source: 'json', records: 20 },
    { do: 'unwanted', source: 'java', records: 20 },
    ...kill,
    { do: 'unwanted', source: 'own', records: 20 },
    { do: 'unwanted', source: 'nginx', records: 20 },
    settle,
  ],
  'dropped for its level, and by hash, the same after each death': [
    { do: 'append', source: 'sampled', records: 200 },
    { do: 'append', source: 'json', records: 200 },
    ...kill,
    { do: 'append', source: 'sampled', records: 200 },
    { do: 'rotate', source: 'sampled', create: true },
    { do: 'reload' },
    { do: 'poison', source: 'sampled', backend: 'left', poison: 'always' },
    { do: 'append', source: 'sampled', records: 100 },
    ...kill,
    settle,
  ],
  'killed inside a private key': [
    { do: 'begin', source: 'own', lines: 4, half: true, kind: 'key' },
    wait(FLUSH / 2),
    ...kill,
    { do: 'go on', source: 'own' },
    settle,
  ],
  'killed inside a private key of which a part was sent': [
    { do: 'begin', source: 'own', lines: 4, half: true, kind: 'key' },
    { do: 'begin', source: 'java', lines: 5, half: false, kind: 'key' },
    wait(LATE),
    ...kill,
    wait(LATE),
    { do: 'go on', source: 'own' },
    { do: 'go on', source: 'java' },
    settle,
  ],
  'rotated inside a private key': [
    { do: 'begin', source: 'own', lines: 4, half: true, kind: 'key' },
    { do: 'begin', source: 'java', lines: 4, half: false, kind: 'key' },
    { do: 'rotate', source: 'own', create: true },
    { do: 'rotate', source: 'java', create: false },
    { do: 'go on', source: 'own' },
    { do: 'go on', source: 'java' },
    settle,
  ],
  'ended in order inside a private key': [
    { do: 'begin', source: 'own', lines: 4, half: true, kind: 'key' },
    { do: 'begin', source: 'java', lines: 5, half: false, kind: 'key' },
    { do: 'stop', grace: 10 },
    { do: 'start' },
    wait(LATE),
    { do: 'go on', source: 'own' },
    { do: 'go on', source: 'java' },
    settle,
  ],
})

function named(programs: Readonly<Record<string, readonly Action[]>>): Program[] {
  return Object.entries(programs).map(([name, actions], n) => ({ name, seed: 1000 + n, actions }))
}
