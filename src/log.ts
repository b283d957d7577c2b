/**
 * What the rooms see of the logger: a sentence plus fields. `main` builds the real one; nothing else knows which
 * library writes it. Saying something never blocks and never fails. Neither the sentence nor a field may hold log content or a secret.
 *
 * Levels by consequence: `error` data was lost or a human is needed · `warn` something is wrong, no data has been
 * lost · `info` a turn in the life of the process · `debug` for us.
 */
export interface Logger {
  error(fields: Record<string, unknown>, sentence: string): void
  warn(fields: Record<string, unknown>, sentence: string): void
  info(fields: Record<string, unknown>, sentence: string): void
  debug(fields: Record<string, unknown>, sentence: string): void
}

/**
 * A logger that lets a sentence through once per `interval` milliseconds and `key` (the sentence and, if there is one,
 * the field `about`), and then says in `suppressed` how often it was said in between.
 */
export function rateLimited(logger: Logger, interval: number, now: () => number = () => performance.now()): Logger {
  const said = new Map<string, { at: number; suppressed: number }>()
  const limited =
    (level: keyof Logger) =>
    (fields: Record<string, unknown>, sentence: string): void => {
      const key = `${level} ${sentence} ${String(fields['about'] ?? '')}`
      const at = now()
      const last = said.get(key)
      if (last && at - last.at < interval) {
        last.suppressed++
        return
      }
      // Keys are bounded by forgetting them all now and then: a burst of new ones costs lines in the log, not memory.
      if (said.size > 1000) said.clear()
      said.set(key, { at, suppressed: 0 })
      logger[level](last?.suppressed ? { ...fields, suppressed: last.suppressed } : fields, sentence)
    }
  return { error: limited('error'), warn: limited('warn'), info: limited('info'), debug: limited('debug') }
}
