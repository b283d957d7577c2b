/**
 * Shrinking: the same program with fewer actions that still fails. Programs meet real clocks, so a failure may need a
 * second attempt to show again; a bounded number of attempts is enough to read what is left.
 */
const ATTEMPTS = 30
const TRIES = 2

export async function shrink<A, P extends { readonly actions: readonly A[] }>(
  program: P,
  fails: (candidate: P) => Promise<boolean>,
): Promise<P> {
  let best = program
  let attempts = 0
  const smaller = async (actions: P['actions']): Promise<boolean> => {
    for (let n = 0; n < TRIES && attempts < ATTEMPTS; n++) {
      attempts++
      const candidate = { ...program, actions }
      if (await fails(candidate)) {
        best = candidate
        return true
      }
    }
    return false
  }
  for (
    let part = Math.ceil(best.actions.length / 2);
    part >= 1 && attempts < ATTEMPTS;
    part = part === 1 ? 0 : Math.ceil(part / 2)
  ) {
    // From the end: what comes after the damage goes first.
    for (let from = best.actions.length - part; from >= 0 && attempts < ATTEMPTS; from -= part) {
      await smaller([...best.actions.slice(0, from), ...best.actions.slice(from + part)])
    }
  }
  return best
}
