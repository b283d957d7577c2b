/**
 * Meaning: what a pattern means, and what was probably meant by it. By its text alone; nothing here looks at a disk, so it
 * may be asked of a manifest as well as where the files are.
 */
import { globsOf, plainNames } from './glob.ts'

export interface Meaning {
  /** Where matches begin, in the order in which they were written. */
  readonly directories: readonly string[]
  /** What follows there, as it was written; the same for all of them where braces stand in front. */
  readonly names: string
  /** What was probably meant otherwise, each a sentence without an end. */
  readonly doubts: readonly string[]
}

/** What is likely to be expected of a text like this, and what it means in truth. */
const DOUBTS: readonly (readonly [sign: RegExp, doubt: string])[] = [
  [
    /\$\([^)]*\)/,
    '$(NAME) was not expanded: Kubernetes does it only if a variable NAME stands before it in the same container',
  ],
  [/\$\{[^}]*\}/, '${NAME} was not expanded: only values of the configuration file are, not those of variables'],
  [/\$[A-Za-z_]\w*/, '$NAME is not expanded: write ${NAME}, in the configuration file'],
  [/\{\{.*\}\}/, '{{ … }} was not filled in: it is the text of a template'],
  [/\/%[^/%]+%/, '%NAME% is not expanded: write ${NAME}, in the configuration file'],
  [/,\s*\//, 'it holds a comma before a slash: two paths are two entries of the list'],
  [/^\s|\s$/, 'it ends with a space, which would be part of the name'],
  [/\/~[^/]*\//, '~ is not expanded: write the home directory out'],
  [/\/file:/, 'file:// is no part of a path'],
  [/\/[A-Za-z]:(\/|\\)/, 'it looks like a Windows path: directories are separated by /, and there are no drives'],
  [/["']/, 'it holds quotes, which would be part of the name'],
  [/\\[A-Za-z0-9_-]/, 'a backslash makes the next sign itself: directories are separated by /'],
  [
    /(^|\/)[^/]*[^/*]\*\*|\*\*[^/*][^/]*/,
    '** within a name means *: to reach into directories it stands alone, as in /**/*.log',
  ],
  [/\.\*\\\.|\.\*\$$|^\^|\/\^/, 'it looks like a regular expression: it is a glob, in which * stands for any signs'],
]

export function meaningOf(written: string): Meaning {
  const globs = globsOf(written)
  const directories = [...new Set(globs.map(glob => `/${plainNames(glob).join('/')}`))]
  const end = written.replace(/\/+$/, '/*')
  const names = end.slice(end.lastIndexOf('/') + 1)
  const doubts = DOUBTS.filter(([sign]) => sign.test(written)).map(([, doubt]) => doubt)
  for (const [braces, only] of written.matchAll(/(?<![\\$])\{([^{},]+)\}/g)) {
    if (!/\.\./.test(only!) && !/^\{\{/.test(braces)) {
      doubts.push(`${braces} has one alternative: it means ${only}, and ${braces} itself as in a shell`)
    }
  }
  return { directories, names, doubts }
}

/** What is wrong with a text that is no absolute path. */
export function notAbsolute(written: unknown): string {
  const allowed = 'an absolute path or glob, such as /var/log/app/*.log'
  if (typeof written !== 'string') return allowed
  const slips: readonly (readonly [sign: RegExp, slip: string])[] = [
    [/^~/, '~ is not expanded'],
    [/^["']/, 'without quotes that are part of the text'],
    [/^file:/, 'without file:'],
    [/^([A-Za-z]:)?\\|^[A-Za-z]:\//, 'with / between directories, and without a drive'],
    [/^\s+\//, 'without a space in front of it'],
    [/^\$/, 'what begins with $ was not expanded'],
  ]
  const slip = slips.find(([sign]) => sign.test(written))?.[1]
  return slip === undefined ? allowed : `${allowed} (${slip})`
}
