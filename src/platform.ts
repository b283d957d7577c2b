/** Platforms whose admission is stricter than the API server's own, or which have no nodes to share. */

export const PLATFORMS = ['openshift', 'autopilot', 'fargate'] as const

export type Platform = (typeof PLATFORMS)[number]

export function isPlatform(word: string): word is Platform {
  return (PLATFORMS as readonly string[]).includes(word)
}
