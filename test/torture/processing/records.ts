/**
 * Records as applications write them. Each has a serial number, which stands in each of its lines but those that say
 * nothing, so that of any text it can be said where it was written.
 *
 * With `redact` each line holds a planted secret: no two are alike, and none may ever be seen again.
 */
import { createHmac } from 'node:crypto'
import { hash, isChosen } from '../../process/select/twin.ts'
import { UNWANTED_TEXT } from './poison.ts'
import { knows, SAMPLE, type SourceName } from './sources.ts'

export const KINDS = [
  'plain',
  'java',
  'python',
  'go',
  'ruby',
  'own',
  'ended',
  'goesOn',
  'json',
  'nginx',
  'long',
  'key',
  'same',
] as const
export type KindName = (typeof KINDS)[number]

/** A text that must not be seen, and what may be overwritten with it: `extent` holds it. */
export interface Secret {
  readonly text: string
  readonly extent: string
}

export interface Written {
  readonly serial: number
  readonly kind: KindName
  /** Without line feeds. */
  readonly lines: readonly string[]
  readonly secrets: readonly Secret[]
  /** A filter drops it. */
  readonly dropped: boolean
}

export interface Wish {
  readonly serial: number
  readonly kind: KindName
  readonly source: SourceName
  /** A text that stands in its first line. */
  readonly mark?: string
  readonly secrets: boolean
  /** Bytes of a long line. */
  readonly bytes?: number
  /** Which of the texts that are the same. */
  readonly phrase?: number
}

type Next = () => number

/** As often as they are here. */
const LEVELS = ['trace', 'debug', 'info', 'info', 'info', 'warn', 'error', 'error'] as const
type Level = (typeof LEVELS)[number]

const levelOf = (line: string): Level => (JSON.parse(line) as { level: Level }).level

/** The value by which a record is sampled. */
const keyOf = (serial: number): string => `n${serial}`

/** Whether a record of this level is dropped for it, or is none of the sample. Levels are known in JSON alone. */
function isDropped(source: SourceName, serial: number, level: Level | undefined): boolean {
  if (level === undefined) return false
  if (knows('level') && (level === 'trace' || level === 'debug')) return true
  if (source !== 'sampled' || !knows('sample') || level === 'error') return false
  return !isChosen(hash(Buffer.from(keyOf(serial)), 0n), SAMPLE.keep)
}

const ALPHABET = 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

/** Makes records; the same from the same numbers. */
export class Author {
  readonly #next: Next

  constructor(next: Next) {
    this.#next = next
  }

  write({ serial, kind, source, mark = '', secrets: wanted, bytes, phrase }: Wish): Written {
    // No two are alike.
    const planted = wanted && kind !== 'same'
    const secrets: Secret[] = []
    const plant = (): string => {
      if (!planted) return ''
      let secret = this.#secret()
      // In an access log these would end the value that they stand in.
      while (kind === 'nginx' && /[" ]/.test(secret.extent)) secret = this.#secret()
      secrets.push(secret)
      return ` ${secret.extent}`
    }
    const say = (n: number): string => `r${serial}l${n} ${this.#filler()}${plant()}`
    const first = `r${serial}l0${mark === '' ? '' : ` ${mark}`} ${this.#filler()}${plant()}`
    const lines = this.#lines(kind, { serial, first, say, plant, secrets, bytes, phrase, mark })
    // The filter looks for what redaction leaves of this one.
    if (mark.includes('@')) secrets.push({ text: '', extent: mark.slice(mark.indexOf('=') + 1) })
    const level = kind === 'json' ? levelOf(lines[0]!) : undefined
    return { serial, kind, lines, secrets, dropped: UNWANTED_TEXT.test(mark) || isDropped(source, serial, level) }
  }

  #lines(
    kind: KindName,
    {
      serial,
      first,
      say,
      secrets,
      bytes = 10_000,
      phrase,
      mark,
    }: {
      serial: number
      first: string
      say: (n: number) => string
      plant: () => string
      secrets: Secret[]
      bytes: number | undefined
      phrase: number | undefined
      mark: string
    },
  ): string[] {
    const many = (from: number, to: number) => from + Math.floor(this.#next() * (to - from + 1))
    const stamp = '2026-01-02 10:00:00.123'
    switch (kind) {
      case 'plain':
        return [`${stamp} INFO [main] ${first}`]
      case 'java': {
        const frames = many(1, 8)
        const cause = many(0, 1)
        return [
          `${stamp} ERROR [main] ${first}`,
          `java.lang.IllegalStateException: ${say(1)}`,
          ...Array.from({ length: frames }, (_, n) => `\tat com.example.Stock.take(Stock.java:${n}) ${say(2 + n)}`),
          ...(cause
            ? [
                `Caused by: java.sql.SQLException: ${say(20)}`,
                `\tat com.Db.query(${say(21)})`,
                `\t... 2 more ${say(22)}`,
              ]
            : []),
        ]
      }
      case 'python': {
        const frames = many(1, 5)
        const trace = (at: number) => [
          `Traceback (most recent call last): ${say(at)}`,
          ...Array.from({ length: frames }, (_, n) => [
            `  File "/app/a.py", line 3, in f ${say(at + 1 + 2 * n)}`,
            `    return 1 / 0 ${say(at + 2 + 2 * n)}`,
          ]).flat(),
          `ZeroDivisionError: ${say(at + 12)}`,
        ]
        const chain = ['', `During handling of the above exception, another exception occurred: ${say(40)}`, '']
        return [`ERROR:root:${first}`, ...trace(1), ...(many(0, 2) === 0 ? [...chain, ...trace(20)] : [])]
      }
      case 'go': {
        const frames = Array.from({ length: many(1, 6) }, (_, n) => [
          `main.(*server).serve(0xc000010000, {0x1, 0x2}) ${say(4 + 2 * n)}`,
          `\t/app/main.go:12 +0x1d ${say(5 + 2 * n)}`,
        ])
        return [`panic: ${first}`, '', `goroutine 1 [running]: ${say(2)}`, ...frames.flat(), `exit status 2 ${say(30)}`]
      }
      case 'ruby':
        return [
          `E, [2026-01-02T10:00:00.000000 #1] ERROR -- : ${first}`,
          ...Array.from({ length: many(1, 6) }, (_, n) => `app/models/order.rb:12:in \`total' ${say(1 + n)}`),
        ]
      case 'own':
        return [
          `2026-01-02 10:00:00 ${first}`,
          ...Array.from(
            { length: many(0, this.#next() < 0.15 ? 40 : 8) },
            (_, n) => `${'·'.repeat(n % 3)}${say(1 + n)}`,
          ),
        ]
      case 'ended':
        return [
          `BEGIN ${first}`,
          ...Array.from({ length: many(0, 6) }, (_, n) => `  INSERT ${say(1 + n)}`),
          `COMMIT r${serial}l90;`,
        ]
      case 'goesOn':
        return [
          `request ${first}`,
          ...Array.from({ length: many(0, 6) }, (_, n) => `${n % 2 ? '+ ' : '\t'}${say(1 + n)}`),
        ]
      case 'json': {
        const level = LEVELS[many(0, LEVELS.length - 1)]
        const at = new Date(Date.UTC(2026, 0, 2) + serial).toISOString()
        return [JSON.stringify({ time: at, level, msg: first, serial: keyOf(serial) })]
      }
      case 'nginx': {
        const address = `10.0.0.${serial % 250}`
        secrets.push({ text: '', extent: address })
        const request = `"GET /${first.replaceAll(/[" ]/g, '/')} HTTP/1.1"`
        return [`${address} - user [02/Jan/2026:10:00:00 +0000] ${request} 200 ${serial} "-" "agent r${serial}l1"`]
      }
      case 'long': {
        const head = `${stamp} WARN [main] ${first} `
        const line = head + 'one word more - '.repeat(Math.ceil(bytes / 16)).slice(0, Math.max(0, bytes - head.length))
        return this.#next() < 0.5
          ? [line]
          : [`${stamp} WARN [main] r${serial}l1`, `\t${line}`, `\tat tail(r${serial}l2)`]
      }
      case 'same': {
        const text = PHRASES[(phrase ?? many(0, PHRASES.length - 1)) % PHRASES.length]
        return [`r${serial}l0 ${mark === '' ? '' : `${mark} `}${text}`]
      }
      case 'key': {
        const body = Array.from({ length: many(3, 12) }, () => this.#letters(64))
        const end = '-----END RSA PRIVATE KEY-----'
        const key = ['-----BEGIN RSA PRIVATE KEY-----', ...body, end]
        for (const text of body) secrets.push({ text, extent: text })
        // Behind an indent every machine here goes on.
        return [`${stamp} ERROR [main] ${first}`, ...key.map(text => `\t${text}`), `\tbehind the key ${say(3)}`]
      }
    }
  }

  #letters(count: number): string {
    let text = ''
    while (text.length < count) text += ALPHABET[Math.floor(this.#next() * ALPHABET.length)]
    return text
  }

  #filler(): string {
    const times = Math.floor(this.#next() * 5)
    return FILLERS[Math.floor(this.#next() * FILLERS.length)]!.repeat(times).trim()
  }

  #secret(): Secret {
    const kinds: (() => [secret: string, extent: string])[] = [
      () => around(this.#letters(14), text => `password=${text}`),
      () => around(this.#letters(14), text => `{"password":"${text}"}`),
      () => around(this.#letters(14), text => `ticket=${text}`),
      () => around(this.#letters(30), text => `Authorization: Bearer ${text}`),
      () => around(`AKIA${this.#letters(16).toUpperCase()}`, text => text),
      () => around(this.#jwt(), text => text),
      () => around(this.#pan(), text => text),
      () => around(`${this.#letters(10).toLowerCase()}@example.org`, text => text),
      () => around(this.#letters(12), text => `postgres://app:${text}@db.example.org/shop`),
    ]
    const [text, extent] = kinds[Math.floor(this.#next() * kinds.length)]!()
    return { text, extent }
  }

  #jwt(): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: this.#letters(8) })}`
    return `${text}.${createHmac('sha256', 'key').update(text).digest('base64url')}`
  }

  /** A card number that passes Luhn's check. */
  #pan(): string {
    const digits = `4${Array.from({ length: 14 }, () => Math.floor(this.#next() * 10)).join('')}`
    const sum = [...digits].reverse().reduce((all, digit, n) => {
      const twice = Number(digit) * (n % 2 === 0 ? 2 : 1)
      return all + (twice > 9 ? twice - 9 : twice)
    }, 0)
    return `${digits}${(10 - (sum % 10)) % 10}`
  }
}

function around(secret: string, extent: (text: string) => string): [string, string] {
  return [secret, extent(secret)]
}

/** Behind a serial number, which is not compared. */
const PHRASES = [
  'cannot connect to db:5432, retrying',
  `${'a text that is the same far behind the head '.repeat(3)}42`,
  'cannot connect to db:5432, retrying again',
]

const FILLERS = ['the quick brown fox ', 'ünïcödé → 日本 ', 'a b c ', 'nothing to see here, move along ']
