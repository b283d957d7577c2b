/** Programs that once found something, by the name of what they found. */
import { type Action, BACKENDS, type Fault, FILES, type File, type Program } from './program.ts'
import { SCHEMES, type Scheme } from './schemes.ts'

const FILE: File = 'app.log'

const append = (lines = 5, file: File = FILE): Action => ({ do: 'append', file, lines, size: 80 })
const wait = (ms: number): Action => ({ do: 'wait', ms })
const SETTLE: Action = { do: 'settle' }
const KILL: Action = { do: 'kill' }
const START: Action = { do: 'start' }

/** `lose`: bytes of the file that are gone. */
function powerCut(lose?: number): Action {
  return { do: 'powerCut', file: FILE, ...(lose !== undefined && { lose }) }
}

function program(name: string, actions: readonly Action[], pattern: Program['pattern'] = 'outside'): Program {
  return { name, seed: 1, pattern, owned: true, actions }
}

/** No backend answers, and there is more to read than memory holds: what is written from here on is seen and not read. */
function outage(bytes = 1_200_000): Action[] {
  return [
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'block', file: FILE, bytes },
  ]
}

type Copies = Partial<Record<File, Scheme | 'odd' | 'shifted'>>

/** Rotations by copytruncate of lines that have been there for long enough to be seen, of several files at once. */
function copytruncates(times: number, copies: Copies): Action[] {
  const files = Object.keys(copies) as File[]
  return Array.from({ length: times }, (): Action[] => [
    wait(1200),
    ...files.flatMap(file => [copytruncate(file, copies[file]!), append(20, file)]),
  ]).flat()
}

function copytruncate(file: File, name: Scheme | 'odd' | 'shifted', busy = false): Action {
  return { do: 'copytruncate', file, busy, ...(name === 'shifted' ? {} : { scheme: name }) }
}

/** Rotations by rename, each of lines that have been seen. */
function rotations(times: number, file: File = FILE): Action[] {
  const rotate: Action = { do: 'rotate', file, create: true }
  return Array.from({ length: times }, (): Action[] => [rotate, append(20, file), wait(150)]).flat()
}

/** For both backends. */
function poison(lines: number, always: boolean, between = 3): Action[] {
  return BACKENDS.map(backend => ({ do: 'poison', file: FILE, beside: 'db.log', backend, lines, between, always }))
}

function inThrees<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / 3) }, (_, at) => all.slice(3 * at, 3 * at + 3))
}

const FAULTS: readonly Fault[] = [
  { kind: 'html' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, retryAfter: 0 },
  { kind: 'resetBefore' },
  { kind: 'resetAfter' },
  { kind: 'slow', ms: 100 },
  { kind: 'tooLarge', bytes: 2000 },
]

/** A kept connection that breaks is replaced by another one at once: only when that breaks too it is a failure. */
const timesOf = ({ kind }: Fault): number => (kind === 'resetBefore' || kind === 'resetAfter' ? 2 : 1)

/**
 * Labels of time say nothing of the file they were made of, unless one was seen before; nor does `old`, which people call
 * files by hand, where a file is renamed in the tick of its last line.
 */
const TELLING = SCHEMES.filter(scheme => scheme !== 'tai' && scheme !== 'old')

export const REGRESSIONS: readonly Program[] = [
  // Nothing had been saved but that the file is there, and the new lines got the ids of the old ones.
  program('emptied and written anew after a death before the first checkpoint', [
    append(),
    SETTLE,
    { do: 'freeze' },
    { do: 'truncate', file: FILE },
    append(),
    KILL,
    START,
    SETTLE,
  ]),
  // The id held the time and was not saved before it was used.
  program('an inode reused while down, and a death just after the start', [
    append(),
    SETTLE,
    { do: 'term', grace: 10 },
    { do: 'delete', file: FILE, recreate: true },
    START,
    wait(15),
    KILL,
    START,
    SETTLE,
    { do: 'term', grace: 10 },
    { do: 'delete', file: FILE, recreate: true },
    START,
    wait(200),
    KILL,
    START,
    SETTLE,
  ]),
  // The copy was taken for a rotated file before the truncation had been looked for.
  program('copied, truncated and rotated between two looks', [
    append(),
    SETTLE,
    { do: 'freeze' },
    { do: 'copytruncate', file: FILE, busy: false },
    { do: 'rotate', file: FILE, create: true },
    append(),
    { do: 'thaw' },
    SETTLE,
  ]),
  // The copy was taken for a new file, since the original was empty already when they were compared.
  program(
    'copied within the pattern and truncated between two looks',
    [append(), SETTLE, { do: 'freeze' }, { do: 'copytruncate', file: FILE, busy: false }, { do: 'thaw' }, SETTLE],
    'inside',
  ),
  // The truncated original had been rotated as well, and only files under their own name were asked.
  program(
    'copied within the pattern, truncated and rotated between two looks',
    [
      append(),
      SETTLE,
      { do: 'freeze' },
      { do: 'copytruncate', file: FILE, busy: false },
      { do: 'rotate', file: FILE, create: true },
      append(),
      { do: 'thaw' },
      SETTLE,
    ],
    'inside',
  ),
  program(
    'copied within the pattern, and truncated a while later',
    [append(), SETTLE, wait(300), { do: 'copytruncate', file: FILE, busy: false, pause: 1500 }, append(), SETTLE],
    'inside',
  ),
  // The copy counted as the youngest file that had been followed, and the emptied one, older than that, was not looked for.
  program('copied, truncated, written to and rotated while down', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    append(),
    SETTLE,
    append(),
    { do: 'term', grace: 5 },
    { do: 'copytruncate', file: FILE, busy: false },
    append(),
    { do: 'rotate', file: FILE, create: true },
    append(),
    { do: 'start' },
    SETTLE,
  ]),
  // The cursor that had read behind the end of the copy kept the other one from going on in it.
  ...[[], [KILL, { do: 'start' as const }]].map(death =>
    program(
      `copied and truncated while only one backend answers, with lines between${death.length > 0 ? ', and a death' : ''}`,
      [
        append(),
        SETTLE,
        { do: 'down', backend: 'left' },
        { do: 'block', file: FILE, bytes: 1_200_000 },
        wait(1200),
        { do: 'copytruncate', file: FILE, busy: true, gap: 300 },
        append(),
        wait(death.length > 0 ? 1500 : 0),
        ...death,
        SETTLE,
      ],
    ),
  ),
  // The file of the rotation was taken for one that was written anew, and what the copy held came again.
  program(
    'copied over the same rotation again and again, within the pattern',
    Array.from({ length: 4 }, () => [
      append(),
      SETTLE,
      append(),
      { do: 'copytruncate' as const, file: FILE, busy: false, over: true },
      SETTLE,
    ]).flat(),
    'inside',
  ),
  program('copied over the same rotation again and again', [
    append(),
    SETTLE,
    ...Array.from({ length: 3 }, () => [
      append(),
      SETTLE,
      { do: 'freeze' as const },
      append(),
      { do: 'copytruncate' as const, file: FILE, busy: false, over: true },
      append(),
      { do: 'thaw' as const },
      SETTLE,
    ]).flat(),
  ]),
  // The look at the original led back to the rotation, and what had been delivered of it was counted as lost.
  program('found under its rotated name, and then copied over before the original was read', [
    append(),
    { do: 'rotate', file: FILE, create: true },
    wait(150),
    append(),
    { do: 'copytruncate', file: FILE, busy: false, over: true },
    append(),
    SETTLE,
  ]),
  // Between the moments in which the rotation was emptied and written it looked like a new file, and that it stayed.
  program('copied over at once, again and again', [
    append(),
    SETTLE,
    ...Array.from({ length: 12 }, () => [
      append(),
      wait(40),
      { do: 'copytruncate' as const, file: FILE, busy: false, over: true },
      wait(20),
    ]).flat(),
    SETTLE,
  ]),
  // What had been renamed was known by its old name still, and so for no rotation of the file that carries it now.
  program('renamed, and then copied over', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    wait(150),
    append(),
    SETTLE,
    append(),
    { do: 'copytruncate', file: FILE, busy: false, over: true },
    append(),
    SETTLE,
  ]),
  // Whoever met the new file under its other name first did not ask what the old name had led to meanwhile.
  program('rotated twice between two looks, and a hard link to the new file', [
    append(),
    SETTLE,
    { do: 'freeze' },
    { do: 'rotateOften', file: FILE, times: 2, lines: 3 },
    { do: 'link', file: FILE },
    { do: 'link', file: FILE },
    { do: 'thaw' },
    SETTLE,
  ]),
  // Its position was forgotten, and its generation began again under another id.
  program('a truncated file that may not be read at the next start', [
    append(),
    SETTLE,
    { do: 'truncate', file: FILE },
    append(),
    SETTLE,
    wait(1500),
    { do: 'term', grace: 10 },
    { do: 'chmod', file: FILE, mode: 0 },
    START,
    wait(300),
    { do: 'chmod', file: FILE, mode: 0o644 },
    append(),
    SETTLE,
  ]),
  // It was not looked at again once it could be read: no followed name led to it any more.
  program('rotated out of the pattern while it may not be read, and a death', [
    append(),
    SETTLE,
    wait(1500),
    { do: 'freeze' },
    append(),
    { do: 'chmod', file: FILE, mode: 0 },
    append(),
    { do: 'rotate', file: FILE, create: true },
    { do: 'kill' },
    START,
    wait(300),
    SETTLE,
  ]),
  // Its name was looked for among those of the followed files for three seconds, and then by nobody.
  program('rotated out of the pattern before it may be read for the first time, and a reload', [
    append(),
    SETTLE,
    { do: 'moveAway', file: FILE },
    append(),
    { do: 'chmod', file: FILE, mode: 0 },
    append(),
    wait(300),
    { do: 'rotate', file: FILE, create: false },
    { do: 'reload', file: FILE, records: 2000, budget: 3, ms: 5000 },
    wait(1000),
  ]),
  program('rotated before it was seen, and not to be read until a reload', [
    append(),
    { do: 'delete', file: FILE, recreate: true },
    wait(150),
    { do: 'rotateOften', file: FILE, times: 3, lines: 17 },
    { do: 'chmod', file: FILE, mode: 0 },
    { do: 'truncate', file: FILE },
    { do: 'rotateOften', file: FILE, times: 2, lines: 6 },
    { do: 'reload', file: FILE, records: 2000, budget: 2, ms: 5000 },
    wait(1000),
  ]),
  program('rotated while we are down before it may be read for the first time', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    { do: 'chmod', file: FILE, mode: 0 },
    append(),
    wait(1500),
    { do: 'kill' },
    { do: 'rotate', file: FILE, create: true },
    append(),
    START,
    wait(300),
  ]),
  // The pin was named after an id that the checkpoint did not know yet, and was cleared away.
  program('deleted while both backends were down, and a death', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    append(),
    wait(2500),
    { do: 'delete', file: FILE, recreate: true },
    wait(100),
    KILL,
    START,
    SETTLE,
  ]),
  // What its file held was known by nothing that an archive is compared with: it was taken for that of another one.
  program(
    'a last line without an end is rotated and compressed',
    [
      append(),
      SETTLE,
      { do: 'rotate', file: FILE, create: false },
      { do: 'half', file: FILE },
      wait(1200),
      { do: 'rotate', file: FILE, create: true },
      append(),
      wait(300),
      { do: 'freeze' },
      { do: 'gzip', file: FILE },
      append(),
      { do: 'thaw' },
      SETTLE,
    ],
    'inside',
  ),
  // The next process took the unpacked part for the whole file.
  {
    ...program('killed while it unpacks what was compressed while it was down', [
      append(),
      SETTLE,
      wait(1700),
      KILL,
      { do: 'block', file: FILE, bytes: 25_000_000 },
      { do: 'rotate', file: FILE, create: true },
      { do: 'gzip', file: FILE },
      append(),
      START,
      wait(20),
      KILL,
      START,
      wait(45),
      KILL,
      START,
      wait(70),
      KILL,
      START,
      wait(110),
      KILL,
      START,
      SETTLE,
    ]),
    // Where it may not link to the file, the compressed one is all that is left.
    owned: false,
  },
  // These found nothing. The first two are for the marker and for the head: each alone tells the old file from the new.
  program('written anew with the same beginning, past the old offset, between two looks', [
    { do: 'restart', file: FILE, same: true, lines: 3 },
    SETTLE,
    { do: 'freeze' },
    { do: 'restart', file: FILE, same: true, lines: 40 },
    { do: 'thaw' },
    SETTLE,
  ]),
  program('written anew with another first line and the same length, between two looks', [
    { do: 'restart', file: FILE, same: false, lines: 0 },
    SETTLE,
    { do: 'freeze' },
    { do: 'restart', file: FILE, same: false, lines: 0 },
    { do: 'thaw' },
    SETTLE,
  ]),
  // What is saved while requests are slow must not be ahead of what they carried.
  program('killed between two chunks of a slow backend', [
    append(),
    SETTLE,
    { do: 'fault', backend: 'left', fault: { kind: 'slow', ms: 350 }, times: 60 },
    { do: 'fault', backend: 'right', fault: { kind: 'slow', ms: 350 }, times: 60 },
    { do: 'block', file: FILE, bytes: 1_200_000 },
    wait(4200),
    KILL,
    START,
    SETTLE,
  ]),
  program('ended in order, rotated, and started again: nothing comes twice', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    append(),
    SETTLE,
    { do: 'term', grace: 10 },
    append(),
    { do: 'rotate', file: FILE, create: true },
    append(),
    START,
    SETTLE,
  ]),
  // This found nothing. What was acknowledged since the last save is in no other checkpoint than that of the end.
  program('ended in order just after lines were written: nothing comes twice', [
    append(),
    SETTLE,
    wait(1500),
    append(),
    { do: 'term', grace: 10 },
    START,
    SETTLE,
  ]),
  program('rotated and compressed while down', [
    append(),
    SETTLE,
    wait(2500),
    KILL,
    append(),
    { do: 'rotate', file: FILE, create: true },
    { do: 'gzip', file: FILE },
    append(),
    START,
    SETTLE,
  ]),
  program('half a line, and its other half much later', [
    append(),
    SETTLE,
    { do: 'half', file: FILE },
    wait(400),
    append(),
    { do: 'half', file: FILE },
    SETTLE,
  ]),
  program('every fault in its turn', [
    append(),
    SETTLE,
    // Six rounds: what each fault used up a little of would be gone by then.
    ...Array.from({ length: 6 }, () => FAULTS)
      .flat()
      .flatMap((fault): Action[] => [
        { do: 'fault', backend: 'left', fault, times: timesOf(fault) },
        { do: 'fault', backend: 'right', fault, times: timesOf(fault) },
        append(30),
        wait(120),
      ]),
    SETTLE,
  ]),
  program('an outage of some seconds with more to read than memory holds', [
    append(),
    SETTLE,
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'block', file: FILE, bytes: 3_000_000 },
    wait(4500),
    SETTLE,
  ]),
  program('batches that are too large', [
    { do: 'fault', backend: 'left', fault: { kind: 'tooLarge', bytes: 24 * 1024 }, times: 4 },
    { do: 'fault', backend: 'right', fault: { kind: 'tooLarge', bytes: 24 * 1024 }, times: 4 },
    { do: 'block', file: FILE, bytes: 300_000 },
    SETTLE,
  ]),
  program('three rotations while both backends were down', [
    append(),
    SETTLE,
    wait(2000),
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'block', file: FILE, bytes: 3_000_000 },
    { do: 'rotateOften', file: FILE, times: 3, lines: 5 },
    wait(300),
    KILL,
    START,
    SETTLE,
  ]),
  program('truncated while both backends were down: what is lost is counted', [
    append(),
    SETTLE,
    { do: 'down', backend: 'left' },
    { do: 'down', backend: 'right' },
    { do: 'block', file: FILE, bytes: 3_000_000 },
    wait(2000),
    { do: 'truncate', file: FILE },
    wait(300),
    append(),
    SETTLE,
  ]),

  // Only the first copy was gone on in: of the others nothing had been read, so it was not known whose copies they
  // were.
  program(
    'four copytruncates in an outage, to names that are shifted, dated, or known by their content only',
    [
      ...FILES.map(file => append(20, file)),
      SETTLE,
      ...outage(),
      ...FILES.map(file => append(20, file)),
      ...copytruncates(4, { 'app.log': 'shifted', 'db.log': 'odd', 'sub/web.log': 'date' }),
      SETTLE,
    ],
    'exact',
  ),
  program(
    'three copytruncates in an outage, within the pattern',
    [
      append(),
      append(20, 'db.log'),
      SETTLE,
      ...outage(),
      append(20, 'db.log'),
      ...copytruncates(3, { 'app.log': 'shifted', 'db.log': 'odd' }),
      SETTLE,
    ],
    'inside',
  ),
  program('copies that are written over in an outage, but not before they are open', [
    append(),
    SETTLE,
    ...outage(),
    append(),
    ...Array.from({ length: 3 }, (): Action[] => [wait(1600), copytruncate(FILE, 'old'), append(20)]).flat(),
    SETTLE,
  ]),
  program(
    'copytruncates in an outage, before a death and behind it',
    [
      ...FILES.map(file => append(20, file)),
      SETTLE,
      ...outage(),
      append(20, 'db.log'),
      ...copytruncates(2, { 'app.log': 'odd', 'db.log': 'shifted' }),
      wait(2800),
      KILL,
      copytruncate('app.log', 'odd'),
      copytruncate('db.log', 'odd'),
      append(),
      START,
      SETTLE,
    ],
    'exact',
  ),
  program('two copytruncates while down, the second of lines that were never seen', [
    append(),
    SETTLE,
    append(),
    wait(100),
    { do: 'term', grace: 10 },
    append(),
    { do: 'copytruncate', file: FILE, busy: false },
    append(),
    { do: 'copytruncate', file: FILE, busy: false },
    append(),
    START,
    SETTLE,
  ]),
  program('two copytruncates between two looks', [
    append(),
    SETTLE,
    wait(100),
    { do: 'freeze' },
    append(),
    { do: 'copytruncate', file: FILE, busy: false },
    append(),
    { do: 'copytruncate', file: FILE, busy: false },
    append(),
    wait(500),
    { do: 'thaw' },
    SETTLE,
  ]),

  // This found nothing: with two files of a name the younger one waited for the older one.
  program('a rename in an outage: older lines come first', [append(), SETTLE, ...outage(), ...rotations(1), SETTLE]),
  // This found nothing either.
  program('seen in an outage, and compressed before a line of it was read', [
    append(),
    SETTLE,
    ...outage(),
    append(20, 'db.log'),
    wait(2900),
    KILL,
    { do: 'tool', file: 'db.log', scheme: 'number', times: 1, pack: true },
    START,
    SETTLE,
  ]),
  // Rotated files took turns with each other, so the newest came before the oldest was read to its end.
  program('three renames in an outage: older lines come first', [
    append(),
    SETTLE,
    ...outage(),
    ...rotations(3),
    SETTLE,
  ]),
  program(
    'three renames in an outage, within the pattern: older lines come first',
    [append(), SETTLE, ...outage(), ...rotations(3), SETTLE],
    'inside',
  ),
  // After a restart the file that has the name now was offered first.
  program('three renames in an outage, and a death: older lines come first', [
    append(),
    SETTLE,
    ...outage(),
    ...rotations(3),
    wait(2800),
    KILL,
    START,
    SETTLE,
  ]),
  program('three renames while down: older lines come first', [
    append(),
    SETTLE,
    wait(100),
    { do: 'term', grace: 10 },
    { do: 'block', file: FILE, bytes: 1_200_000 },
    ...Array.from({ length: 3 }, (): Action[] => [{ do: 'rotate', file: FILE, create: true }, append(20)]).flat(),
    START,
    SETTLE,
  ]),

  // The name was compared with the `.gz` still on it.
  program('compressed while down, under names with the extension in front of the compression', [
    ...FILES.map(file => append(5, file)),
    SETTLE,
    wait(1800),
    KILL,
    ...FILES.map(file => append(5, file)),
    ...(['dateInStem', 'time', 'dateAndNumber'] as const).map(
      (scheme, at): Action => ({ do: 'tool', file: FILES[at]!, scheme, times: 1, pack: true }),
    ),
    START,
    SETTLE,
  ]),
  // Only plain files were asked whether they had been made meanwhile.
  program('made, rotated and compressed while down', [
    append(),
    SETTLE,
    wait(100),
    { do: 'term', grace: 10 },
    append(),
    { do: 'tool', file: FILE, scheme: 'number', times: 2, pack: true },
    { do: 'tool', file: FILE, scheme: 'time', times: 2, pack: true },
    START,
    SETTLE,
  ]),

  // What came and went under the name was known by few of the names that tools give.
  program(
    'rotated twice while it stands still, to the names of many tools',
    [
      ...FILES.map(file => append(5, file)),
      SETTLE,
      wait(100),
      ...inThrees(SCHEMES).flatMap((schemes): Action[] => [
        { do: 'freeze' },
        ...schemes.flatMap((scheme, at): Action[] => {
          const file = FILES[at]!
          return [append(5, file), { do: 'tool', file, scheme, times: 2 }]
        }),
        wait(500),
        { do: 'thaw' },
        // On a busy machine nothing may have been looked at yet when it is to stand still again.
        SETTLE,
      ]),
    ],
    'exact',
  ),
  program(
    'rotated twice while down, to the names of many tools',
    [
      append(),
      SETTLE,
      wait(100),
      { do: 'term', grace: 10 },
      ...TELLING.flatMap((scheme): Action[] => [append(), { do: 'tool', file: FILE, scheme, times: 2 }]),
      START,
      SETTLE,
    ],
    'exact',
  ),

  // The next copy was compared with an original that was truncated meanwhile, and taken for a rotation that was missed.
  program('copies that are shifted on and on, the oldest removed', [
    ...FILES.map(file => append(5, file)),
    SETTLE,
    ...Array.from({ length: 24 }, (_, n): Action[] => [
      ...FILES.map(file => append(5, file)),
      wait(20 + (n % 7)),
      ...FILES.map((file): Action => ({ do: 'copytruncate', file, busy: false, pause: n % 5 })),
      wait(15),
    ]).flat(),
    SETTLE,
  ]),
  // What had been read behind the end of the copy hid whose it was: the next process took it for a rotation that was missed.
  program('copied, and truncated when more had been read than the copy holds, and a restart', [
    append(),
    SETTLE,
    append(50),
    SETTLE,
    { do: 'copytruncate', file: FILE, busy: true, gap: 300 },
    append(),
    SETTLE,
    { do: 'reload', file: FILE, records: 50, budget: 2, ms: 5000 },
    wait(300),
    { do: 'term', grace: 10 },
    append(),
    START,
    SETTLE,
  ]),
  // The archive, remembered as done, took the handle of what was unpacked of it: that was given up, and counted as lost.
  program(
    'rotated and compressed at once, and reloaded while the unpacked content is open',
    [
      append(),
      SETTLE,
      { do: 'delete', file: FILE, recreate: true },
      append(13),
      { do: 'rotate', file: FILE, create: true },
      { do: 'gzip', file: FILE },
      { do: 'reload', file: FILE, records: 50, budget: 2, ms: 5000 },
      SETTLE,
    ],
    'exact',
  ),
  // The last end that was seen is not in the copy: what was unread counted as lost, and came as a file of its own.
  ...(['exact', 'outside'] as const).map(pattern =>
    program(
      `copied in an outage to a name that says nothing, with lines before the truncation, ${pattern}`,
      [
        ...FILES.map(file => append(20, file)),
        SETTLE,
        ...outage(),
        ...FILES.map(file => append(20, file)),
        ...Array.from({ length: 3 }, (): Action[] => [
          wait(1200),
          ...FILES.flatMap((file): Action[] => [
            { do: 'copytruncate', file, busy: true, gap: 40, scheme: 'odd' },
            append(20, file),
          ]),
        ]).flat(),
        SETTLE,
      ],
      pattern,
    ),
  ),
  // The copy was open, and not known for one yet, when it was compressed: it was read as new, and so was the archive.
  program(
    'copied, truncated and compressed at once, within the pattern',
    [
      append(),
      SETTLE,
      { do: 'down', backend: 'right' },
      ...Array.from({ length: 8 }, (_, n): Action[] => [
        append(20),
        wait(120),
        { do: 'copytruncate', file: FILE, busy: n % 2 > 0, pause: n, gap: 5 },
        wait(n % 4),
        { do: 'gzip', file: FILE },
      ]).flat(),
      SETTLE,
    ],
    'inside',
  ),
  // The NULs were taken for what had been delivered, and above 256 KiB only for a hole.
  program('copytruncates with a writer that goes on where it was', [
    append(60),
    SETTLE,
    { do: 'copytruncate', file: FILE, busy: false, stale: true },
    append(400),
    SETTLE,
    { do: 'copytruncate', file: FILE, busy: false, stale: true },
    { do: 'block', file: FILE, bytes: 500_000 },
    SETTLE,
    { do: 'copytruncate', file: FILE, busy: true, stale: true },
    append(),
    SETTLE,
  ]),
  // What was written over a rotated file was taken for a new generation.
  program('shredded after it was rotated and acknowledged', [
    append(),
    SETTLE,
    append(100),
    { do: 'rotate', file: FILE, create: true },
    append(),
    SETTLE,
    wait(100),
    { do: 'shred', file: FILE },
    append(),
    wait(300),
    SETTLE,
  ]),
  // It was taken for a copy in the making for ten minutes.
  program('a second file with the same banner grows, and is removed', [
    append(),
    SETTLE,
    { do: 'banner', file: FILE, end: 'delete' },
    append(),
    SETTLE,
  ]),
  // Half of what had been refused together was given up with the bad ones, and all of it after 32 of these.
  program('poisoned lines among good ones', [
    append(),
    SETTLE,
    ...poison(12, true),
    append(),
    wait(300),
    ...poison(30, true),
    SETTLE,
    ...poison(3, true),
    append(),
  ]),
  program('poisoned lines among good ones, and a death', [
    append(),
    SETTLE,
    ...poison(8, true),
    wait(400),
    KILL,
    append(),
    START,
    wait(50),
    KILL,
    START,
    SETTLE,
  ]),
  program('lines that are refused for some seconds', [
    append(),
    SETTLE,
    ...poison(6, false),
    wait(2000),
    append(),
    SETTLE,
  ]),
  program('poisoned lines in a row, and good ones of another file', [
    append(),
    SETTLE,
    append(50),
    ...poison(70, true, 0),
    append(50),
    SETTLE,
  ]),
  // An answer to everything is not about the records.
  program('everything is refused for some seconds, whatever it is', [
    append(),
    SETTLE,
    { do: 'refuse', backend: 'left', status: 400 },
    { do: 'refuse', backend: 'right', status: 413 },
    append(300),
    append(60, 'db.log'),
    wait(2500),
    append(),
    SETTLE,
    { do: 'refuse', backend: 'left', status: 422 },
    { do: 'refuse', backend: 'right', status: 400 },
    append(300),
    wait(1500),
    append(1, 'db.log'),
    wait(1000),
    SETTLE,
  ]),
  // This found nothing. What is no rotation must not be taken for one, however its name begins.
  program(
    'files beside the log that no pattern matches',
    [
      ...FILES.map(file => append(5, file)),
      SETTLE,
      wait(100),
      { do: 'freeze' },
      { do: 'unmatched files', file: FILE },
      { do: 'tool', file: FILE, scheme: 'number', times: 2 },
      { do: 'thaw' },
      wait(100),
      { do: 'copytruncate', file: 'db.log', busy: false },
      { do: 'unmatched files', file: 'db.log' },
      append(5, 'db.log'),
      SETTLE,
      { do: 'term', grace: 10 },
      { do: 'unmatched files', file: 'sub/web.log' },
      { do: 'tool', file: 'sub/web.log', scheme: 'date', times: 2 },
      START,
      SETTLE,
    ],
    'exact',
  ),
  // Files that had not been seen were looked for in the directory of their name only.
  program(
    'rotated twice into another directory while down',
    [
      append(),
      SETTLE,
      wait(100),
      { do: 'term', grace: 10 },
      append(),
      { do: 'tool', file: FILE, scheme: 'date', times: 2, away: true },
      START,
      SETTLE,
    ],
    'exact',
  ),
  // Rotations were asked for that nothing had told of: a directory of old files of the log looks like one of other
  // logs.
  program(
    'rotated twice into another directory while down, where nothing that was known went',
    [
      append(),
      SETTLE,
      { do: 'term', grace: 10 },
      { do: 'delete', file: FILE, recreate: true },
      { do: 'tool', file: FILE, scheme: 'date', times: 2, away: true },
      START,
      SETTLE,
    ],
    'exact',
  ),
  // As above, but the shipper had seen a rotation go there.
  program(
    'rotated twice into another directory while down, where one went that was known',
    [
      append(),
      SETTLE,
      { do: 'tool', file: FILE, scheme: 'date', times: 1, away: true },
      append(),
      SETTLE,
      wait(1600),
      { do: 'term', grace: 10 },
      { do: 'delete', file: FILE, recreate: true },
      { do: 'tool', file: FILE, scheme: 'date', times: 2, away: true },
      START,
      SETTLE,
    ],
    'exact',
  ),
  // A file was asked for that had left the directory in front of its pattern's first wildcard.
  program(
    'rotated out of the directory of its pattern while down',
    [
      append(5, 'sub/web.log'),
      SETTLE,
      { do: 'term', grace: 10 },
      append(5, 'sub/web.log'),
      { do: 'tool', file: 'sub/web.log', scheme: 'date', times: 2, away: true },
      START,
      SETTLE,
    ],
    'exact',
  ),
  // The checkpoint is older than what was sent, and the file holds other lines where that stood.
  program('the power is cut after lines were sent, and others take their place', [
    append(),
    SETTLE,
    append(20),
    SETTLE,
    wait(1500),
    append(20),
    SETTLE,
    powerCut(600),
    START,
    append(),
    SETTLE,
    powerCut(300),
    append(),
    START,
    SETTLE,
  ]),
  program('the power is cut twice while nothing is saved but at the start', [
    append(40),
    SETTLE,
    powerCut(1),
    START,
    powerCut(1),
    START,
    append(),
    powerCut(200),
    START,
    SETTLE,
    KILL,
    START,
    SETTLE,
  ]),
  // What lives through a pin only must be in what is left of the state.
  program('the power is cut while pins hold what was rotated away', [
    append(),
    SETTLE,
    ...outage(60_000),
    ...rotations(6).flatMap(action => [action, ...(action.do === 'rotate' ? [wait(900)] : [])]),
    powerCut(),
    START,
    { do: 'up' },
    SETTLE,
  ]),
  program('the power is cut just after a file was taken up for the first time', [
    append(),
    SETTLE,
    append(20, 'db.log'),
    wait(1200),
    { do: 'rotate', file: 'db.log', create: true },
    append(20, 'db.log'),
    powerCut(),
    START,
    SETTLE,
  ]),
  // An empty file has nothing that tells it from a copy: what was written to it was read before the truncation explained it.
  program(
    'copied over a rotation that is empty, within the pattern, and truncated a while later',
    [
      append(),
      SETTLE,
      { do: 'rotate', file: FILE, create: true },
      wait(400),
      { do: 'rotate', file: FILE, create: true },
      append(20),
      wait(400),
      SETTLE,
      append(20),
      { do: 'copytruncate', file: FILE, busy: true, over: true, pause: 1500 },
      append(),
      SETTLE,
    ],
    'inside',
  ),
]

/** Those that have to wait for what takes half a minute: not for the fast list. */
export const SLOW_REGRESSIONS: readonly Program[] = [
  // It was closed when it had been quiet for half a minute, and not looked at again.
  program('lines that come late to a file that was renamed long ago', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    append(),
    SETTLE,
    wait(33_000),
    { do: 'late', file: FILE, lines: 3 },
    append(),
    SETTLE,
    wait(1000),
    { do: 'term', grace: 10 },
    { do: 'late', file: FILE, lines: 3 },
    append(),
    START,
    SETTLE,
  ]),
  // The new file had the inode of one that was remembered as finished, and was taken for it.
  program('rotated twice while down, onto the inode of a file that was finished long ago', [
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    append(),
    SETTLE,
    { do: 'rotate', file: FILE, create: true },
    append(),
    wait(31_500),
    { do: 'term', grace: 10 },
    { do: 'rotateOften', file: FILE, times: 3, lines: 5 },
    START,
    SETTLE,
  ]),
]
