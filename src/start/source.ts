/** The program as its sources. The build puts `built.ts` in the place of this file. */
export function load(): void {
  void import('../main.ts')
}
