/**
 * The boot: which run of the machine's kernel this is, and what follows for ids if it is another one than a checkpoint says.
 *
 * Within one boot whatever was written is there, synchronized or not, however a process ended: the newest checkpoint is
 * the last one, and what a file held at an offset it still holds. After another boot neither is sure. The power may have
 * been cut: then the checkpoint is older than what was sent, and a file of the application may have lost its end and hold
 * other bytes there. So what is read anew must not have the ids of before: a salt, made of the boots, goes into all of them.
 *
 *     same boot, or everything sent had settled and was synchronized     ids as before
 *     otherwise                                                          a new salt: duplicates have other ids
 *
 * Guarantees: no id is used for other bytes after a power cut; the same checkpoint gives the same salt in the same boot,
 * so a start that could not save is repeated under the same ids; nothing throws.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What a checkpoint says of boots. */
export interface Booted {
  /**
   * The boot in which something may have been sent that is not settled here. Absent: nothing was, or the boot is not told,
   * and each save is synchronized.
   */
  readonly boot?: string
  /** What goes into every id since the end of another boot is not known. */
  readonly salt?: string
}

/** random(4). */
const BOOT_ID = '/proc/sys/kernel/random/boot_id'
const FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** The boot where none is told, once a checkpoint has named one. */
const UNTOLD = 'untold'

export function isBoot(value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value)
}

/** The id of this boot; null where the system does not tell. */
export function currentBoot(path: string = BOOT_ID): string | null {
  try {
    const id = readFileSync(path, 'latin1').trim()
    return isBoot(id) ? id : null
  } catch {
    return null
  }
}

/**
 * A checkpoint as it goes on in the boot `now`: with another salt if it was saved in another one and does not say that
 * everything sent had settled. Salts are chained, for a volume may come back to a machine that was not restarted meanwhile.
 */
export function inBoot<T extends Booted>(loaded: T, now: string | null): Omit<T, keyof Booted> & Booted {
  const { boot, salt: before, ...rest } = loaded
  const salt = boot === undefined || boot === now ? before : saltOf(before ?? '', boot, now ?? UNTOLD)
  return { ...rest, ...(salt !== undefined && { salt }), ...(now !== null && { boot: now }) }
}

function saltOf(...of: readonly string[]): string {
  return hash('sha1', of.join('/'), 'hex').slice(0, 16)
}
