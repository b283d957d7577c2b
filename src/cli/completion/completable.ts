/** The tables of commands and options as a shell needs them: what can stand where on a command line. */
import { TYPES } from '../../config/schema.ts'
import {
  COMMANDS,
  type CommandHelp,
  type CommandName,
  OPTIONS,
  type Option,
  type OptionHelp,
  type Values,
} from '../commands.ts'

/** What completes a word: files, one of some words, or nothing that is known. */
export type Completed = 'files' | 'nothing' | readonly string[]

export interface CompletedOption {
  /** `-c`. */
  readonly short?: string
  /** `--config`. */
  readonly long: string
  readonly says: string
  /** Undefined: it has none. */
  readonly value?: { readonly name: string; readonly completed: Completed }
}

export interface CompletedCommand {
  readonly name: CommandName
  readonly does: string
  readonly options: readonly CompletedOption[]
  readonly words: Completed
}

export const NAMES = Object.keys(COMMANDS) as CommandName[]

/** In front of them there may be options too: those of `run`, and these. */
export const EVERYWHERE: readonly Option[] = ['help']
export const FIRST: readonly Option[] = ['version']

export function optionOf(name: Option): CompletedOption {
  const { short, value, values, says }: OptionHelp = OPTIONS[name]
  return {
    ...(short === undefined ? {} : { short: `-${short}` }),
    long: `--${name}`,
    says,
    ...(value === undefined ? {} : { value: { name: value, completed: completed(value, values) } }),
  }
}

export function commands(): readonly CompletedCommand[] {
  return NAMES.map(name => {
    const { takes = '', values, does, options }: CommandHelp = COMMANDS[name]
    return { name, does, options: [...options, ...EVERYWHERE].map(optionOf), words: completed(takes, values) }
  })
}

/** Those that a value stands behind, as they are written. */
export function optionsWithValue(): readonly CompletedOption[] {
  return (Object.keys(OPTIONS) as Option[]).map(optionOf).filter(({ value }) => value !== undefined)
}

export function spellings({ short, long }: CompletedOption): readonly string[] {
  return short === undefined ? [long] : [short, long]
}

/** `placeholder`: as the help calls what stands there. What the shell itself reads, as in `< SAMPLE`, is not ours. */
function completed(placeholder: string, values: Values | undefined): Completed {
  if (values === 'backend types') return TYPES
  if (values === 'commands') return NAMES
  if (values !== undefined) return values
  return /^\[?(?:FILE|PATH|MANIFEST)\b/.test(placeholder) ? 'files' : 'nothing'
}
