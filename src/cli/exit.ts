/** Exit codes of the commands. */
export const EXIT = { ok: 0, unexpected: 1, configuration: 2, incomplete: 3 } as const
