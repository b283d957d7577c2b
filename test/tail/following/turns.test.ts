/**
 * Looks at two files that may be copies of each other, without a disk: whatever three things happen to them, and
 * whatever happens while they are compared, each look is decided upon once and with facts of one moment.
 */
import t from 'tap'
import { decide, needsComparison } from '../../../src/tail/following/decide.ts'
import { Turns } from '../../../src/tail/following/turns.ts'
import type { Sight } from '../../../src/tail/generation/tailer.ts'

interface File {
  readonly name: 'log' | 'copy'
  content: string
  /** What was seen of it at the last look. */
  known: string
  generation: number
  emptied: boolean
  followed: boolean
}

type LogEvent = keyof typeof EVENTS

/** What may happen to a log, and to a file beside it that it is copied to. */
const EVENTS = {
  'the log is written to': ({ log }: World) => (log.content += `${log.content.length};`),
  'the log is emptied': ({ log }: World) => (log.content = ''),
  'the log is emptied and written to': ({ log }: World) => (log.content = `new${log.generation};`),
  'the log is copied over the other file': ({ log, copy }: World) => (copy.content = log.content),
  'the other file is written to': ({ copy }: World) => (copy.content += 'other;'),
} as const

class World {
  readonly log: File = this.#file('log', '0;')
  readonly copy: File = this.#file('copy', 'old;')
  /** What happens while two files are compared. */
  meanwhile: LogEvent | undefined
  readonly concluded: string[] = []
  readonly wrong: string[] = []
  /** What was postponed, with what was seen of which generation; turns take too long after so many of them. */
  readonly postponed = new Map<File, { generation: number; seen: { sight: Sight } | undefined }>()
  delays = 0
  readonly #most: number
  #had = 0
  #turns = new Turns<File, { sight: Sight }>({
    identity: ({ followed, generation }) => (followed ? generation : undefined),
    observe: file => ({ sight: this.#observe(file) }),
    isDecisive: (file, { sight }) => needsComparison(sight, file.emptied),
    related: (file, { sight }) =>
      needsComparison(sight, file.emptied) ? [{ file: this.#otherOf(file), compare: true }] : [],
    isLike: (file, other) => {
      const like = file.content !== '' && other.content.startsWith(file.content)
      const event = this.meanwhile
      this.meanwhile = undefined
      if (event) EVENTS[event](this)
      return like
    },
    conclude: (file, { sight }, copied) => this.#conclude(file, sight, copied),
    isTooLong: () => this.#had >= this.#most,
    postpone: (file, seen) => {
      this.delays++
      this.postponed.set(file, { generation: file.generation, seen })
    },
  })

  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
  }

  look(file: File): void {
    for (const [each, { generation, seen }] of [...this.postponed]) {
      this.#had = 0
      this.postponed.delete(each)
      if (each.followed) this.#turns.take(each, each.generation === generation ? seen : undefined)
    }
    this.#had = 0
    if (!this.postponed.has(file) && file.followed) this.#turns.take(file)
  }

  #file(name: File['name'], content: string): File {
    return { name, content, known: content, generation: 0, emptied: false, followed: true }
  }

  #otherOf(file: File): File {
    return file === this.log ? this.copy : this.log
  }

  #observe(file: File): Sight {
    this.#had++
    const { known, content } = file
    if (!file.followed) this.wrong.push(`${file.name} is looked at and not followed`)
    file.known = content
    if (!content.startsWith(known)) return { kind: 'replaced' }
    return { kind: 'intact', changed: content !== known, unread: content !== known }
  }

  #conclude(file: File, sight: Sight, copied: boolean): void {
    const { name, emptied } = file
    if (!file.followed) this.wrong.push(`${name} is decided upon and not followed`)
    for (const { kind } of decide({ sight, begins: false, emptied, copied, noise: false, packed: false })) {
      if (kind !== 'looked') this.concluded.push(`${name}: ${kind}`)
      if (kind === 'genuine') file.emptied = false
      if (kind === 'displaced') file.followed = false
      if (kind === 'replaced') {
        file.generation++
        file.emptied = file.known === ''
        // The generation that was lost goes on in the copy, if that holds it.
        const other = this.#otherOf(file)
        if (other.followed && other.name === 'copy' && other.content === '0;') other.followed = false
      }
    }
  }
}

const NAMES = Object.keys(EVENTS) as LogEvent[]

/** Looked at after each event, or after all of them; and whether that takes too long once a file was looked at. */
const LOOKS = [
  ['each', Number.POSITIVE_INFINITY],
  ['all', Number.POSITIVE_INFINITY],
  ['each', 2],
  ['all', 2],
] as const

t.test('whatever three things happen to two files, each look is decided upon once', t => {
  let cases = 0
  let postponed = 0
  const wrong: string[] = []
  for (const meanwhile of [undefined, ...NAMES]) {
    for (const first of NAMES) {
      for (const second of NAMES) {
        for (const third of NAMES) {
          // The one first or the other.
          for (const [looks, most] of LOOKS) {
            for (const order of [['log', 'copy'] as const, ['copy', 'log'] as const]) {
              cases++
              const world = new World(most)
              world.meanwhile = meanwhile
              const look = () => {
                for (const name of order) world.look(world[name])
              }
              for (const event of [first, second, third]) {
                EVENTS[event](world)
                if (looks === 'each') look()
              }
              look()
              look()
              for (let n = 0; n < 4 && world.postponed.size > 0; n++) look()
              if (world.postponed.size > 0) world.wrong.push('something is postponed for ever')
              postponed += world.delays
              const told = [...world.wrong]
              const before = world.concluded.length
              look()
              if (world.concluded.length > before) told.push('a look at what has not changed concludes something')
              for (const file of [world.log, world.copy])
                if (file.followed && file.known !== file.content) told.push(`${file.name} was not looked at`)
              if (!world.log.followed && !world.concluded.includes('log: displaced')) told.push('the log is lost')
              for (const each of told)
                wrong.push(
                  `${each}: ${[first, second, third].join(', ')}; meanwhile ${meanwhile}; ${looks}, ${order}, ${most}`,
                )
            }
          }
        }
      }
    }
  }
  t.strictSame(wrong, [])
  t.ok(postponed > 0, `${postponed} of them are postponed`)
  t.equal(cases, 6 * 5 ** 3 * 8)
  t.end()
})

t.test('a truncation that comes while a file is compared is decided upon before that file', t => {
  const world = new World()
  EVENTS['the log is copied over the other file'](world)
  world.copy.content = '1;'
  world.meanwhile = 'the log is emptied'
  world.look(world.copy)
  t.strictSame(world.concluded, ['log: replaced', 'copy: replaced'])
  t.end()
})

t.test('a copy is let go of while the file it was copied from is followed', t => {
  const world = new World()
  EVENTS['the log is copied over the other file'](world)
  world.look(world.copy)
  t.strictSame(world.concluded, ['copy: displaced'])
  t.end()
})

t.test('turns end although another file changes with every look', t => {
  let looks = 0
  const turns = new Turns<string, { n: number }>({
    identity: () => 1,
    observe: () => ({ n: looks++ }),
    isDecisive: () => true,
    related: file => [{ file: file === 'a' ? 'b' : 'a', compare: true }],
    isLike: () => false,
    conclude: () => {},
    isTooLong: () => false,
    postpone: () => {},
  })
  turns.take('a')
  t.ok(looks > 1 && looks < 100, `${looks}`)
  t.end()
})

t.test('what is to be looked at from within a turn has its turn after that', t => {
  const concluded: string[] = []
  const turns: Turns<string, object> = new Turns<string, object>({
    identity: () => 1,
    observe: () => ({}),
    isDecisive: () => false,
    related: () => [],
    isLike: () => false,
    conclude: file => {
      if (file === 'a') turns.take('b')
      concluded.push(file)
    },
    isTooLong: () => false,
    postpone: () => {},
  })
  turns.take('a')
  t.strictSame(concluded, ['a', 'b'])
  t.end()
})
