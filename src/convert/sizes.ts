/** Sizes in the words of peers, in bytes. */

/** `32k`, `5MB`, `10MiB`, or a number of bytes: `k` and the like count 1024. `undefined`: it is none. */
export function bytesOf(text: string): number | undefined {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  if (count === undefined) return undefined
  const factor = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit!.toLowerCase()] ?? 1
  return Math.round(Number(count) * factor)
}

/** As our configuration writes it. */
export function sizeText(bytes: number): string {
  if (bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}`
}
