/**
 * Poison: a line for which one backend refuses the whole request, as its text says. `passing`: until all is well again.
 *
 * The right value: it is rejected and counted, and its neighbours arrive; or, if the poison has passed, it arrives.
 */
export type Poison = 'always' | 'passing'

export function poisoned(text: string, backend: string, poison: Poison): string {
  return `${text} poison for ${backend}, ${poison}`
}

export function poisonOf(text: string, backend: string): Poison | undefined {
  const [, poison] = / poison for ([a-z]+, [a-z]+)$/.exec(text) ?? []
  if (poison === `${backend}, always`) return 'always'
  return poison === `${backend}, passing` ? 'passing' : undefined
}
