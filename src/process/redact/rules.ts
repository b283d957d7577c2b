/**
 * The rules of redaction, as data: which words and prefixes give a secret away, and what follows them.
 *
 * A literal is looked for everywhere in a text; what must stand behind it, its kind says (kernel/assembly/process). None
 * of them matches what a rule has put in the place of a secret.
 */
import { LAYOUT } from '../../kernel/module.ts'

/** What is looked for, as a whole or by what is meant by it. */
export const SECRETS = [
  'jwt',
  'bearer',
  'basic',
  'authorization',
  'aws',
  'gcp',
  'github',
  'slack',
  'api-key',
  'private-key',
  'url',
  'password',
  'secret',
  'token',
] as const
export const PERSONAL = ['email', 'pan', 'iban', 'ssn', 'ipv4', 'ipv6'] as const
export type RuleName = (typeof SECRETS)[number] | (typeof PERSONAL)[number]

export const GROUPS: Readonly<Record<'secrets' | 'pii', readonly RuleName[]>> = { secrets: SECRETS, pii: PERSONAL }

export interface Literal {
  readonly text: string
  readonly kind: number
  readonly flags: number
  /** Of a token: what it is made of behind the text, and how long that is. */
  readonly made?: number
  readonly least?: number
  readonly most?: number
}

const { REDACT_WORD: WORD, REDACT_EXACT: EXACT, REDACT_SCHEMED: SCHEMED, REDACT_FOLDED: FOLDED } = LAYOUT
const { REDACT_CAPITAL: CAPITAL, REDACT_ALNUM: ALNUM, REDACT_URL_SAFE: URL_SAFE } = LAYOUT
const { REDACT_TOKEN68: TOKEN68, REDACT_BASIC: BASIC } = LAYOUT

const MOST = 65_535

/** The value behind a name that ends with this, whatever its case. */
const name = (text: string, flags = 0): Literal => ({ text, kind: LAYOUT.REDACT_PAIR, flags: flags | FOLDED })
const names = (...texts: string[]): Literal[] => texts.map(text => name(text))
/** A name of several words, however they are joined. */
const joined = (...parts: string[]): Literal[] => ['', '_', '-'].map(sign => name(parts.join(sign)))

const token = (text: string, made: number, least: number, most = MOST): Literal => ({
  text,
  kind: LAYOUT.REDACT_TOKEN,
  flags: 0,
  made,
  least,
  most,
})

const scheme = (text: string, flags = 0): Literal => ({ text, kind: LAYOUT.REDACT_SCHEME, flags: flags | FOLDED })
const other = (text: string, kind: number): Literal => ({ text, kind, flags: 0 })

export const LITERALS: Readonly<Partial<Record<RuleName, readonly Literal[]>>> = {
  jwt: [other('eyJ', LAYOUT.REDACT_WEB_TOKEN)],
  bearer: [scheme('bearer')],
  basic: [scheme('basic', BASIC)],
  authorization: [name('authorization', SCHEMED)],
  aws: [
    ...['AKIA', 'ASIA', 'ABIA', 'ACCA'].map(prefix => token(prefix, CAPITAL, 16, 16)),
    ...names('x-amz-signature', 'x-amz-credential'),
  ],
  gcp: [token('AIza', URL_SAFE, 35, 35), token('ya29.', TOKEN68, 20), token('GOCSPX-', URL_SAFE, 20)],
  github: [
    ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'].map(prefix => token(prefix, ALNUM, 30)),
    token('github_pat_', URL_SAFE, 22),
  ],
  slack: [
    // `xoxb-`, `xoxp-` and so on.
    token('xox', URL_SAFE, 12),
    token('xapp-', URL_SAFE, 20),
    token('hooks.slack.com/services/', TOKEN68, 20),
  ],
  'api-key': [
    ...joined('api', 'key'),
    token('glpat-', URL_SAFE, 20),
    token('npm_', ALNUM, 36, 36),
    ...['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'].map(prefix => token(prefix, ALNUM, 16)),
    token('sk-', URL_SAFE, 32),
    token('SG.', TOKEN68, 40),
    token('hvs.', URL_SAFE, 20),
    token('pypi-', URL_SAFE, 50),
    token('dop_v1_', ALNUM, 64, 64),
    token('shpat_', ALNUM, 32, 32),
  ],
  'private-key': [other('-----BEGIN ', LAYOUT.REDACT_KEY), ...joined('private', 'key')],
  url: [other('://', LAYOUT.REDACT_URL), other(':\\/\\/', LAYOUT.REDACT_URL)],
  password: [
    ...names('password', 'passwords', 'passwd', 'passphrase', 'passcode'),
    ...joined('password', 'confirmation'),
    name('pass', WORD),
    name('pwd', WORD),
  ],
  secret: [
    ...names('secret', 'secrets'),
    ...joined('secret', 'key'),
    ...joined('access', 'key'),
    ...joined('account', 'key'),
    ...joined('signing', 'key'),
    ...joined('encryption', 'key'),
  ],
  token: [...names('token', 'jwt', 'x-amz-security-token'), name('sig', EXACT)],
  // The @ of an address in a query string.
  email: [other('%40', LAYOUT.REDACT_MAIL_SIGN)],
}

/** The value behind a name from the configuration. */
export function keyLiteral(key: string): Literal {
  return name(key.toLowerCase(), EXACT | SCHEMED)
}

/** Rules that go by digits and signs: the bit that asks for them. */
export const SCANS: Readonly<Partial<Record<RuleName, number>>> = {
  email: LAYOUT.REDACT_EMAIL,
  pan: LAYOUT.REDACT_PAN,
  ssn: LAYOUT.REDACT_SSN,
  iban: LAYOUT.REDACT_IBAN,
  ipv4: LAYOUT.REDACT_IPV4,
  ipv6: LAYOUT.REDACT_IPV6,
}

/** Words that stand before a credential and say how it is meant. */
export const SCHEMES = ['bearer', 'basic', 'digest', 'token', 'apikey', 'api-key', 'negotiate', 'ntlm', 'key']

/** Characters of an international account number, by country (ISO 13616 registry). */
export const ACCOUNT_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  [
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29',
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28',
    'LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25',
    'QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30',
  ]
    .join(' ')
    .split(' ')
    .map(each => [each.slice(0, 2), Number(each.slice(2))]),
)
