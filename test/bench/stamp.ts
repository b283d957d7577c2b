/** How a stamped line begins: the sign, then when it was written, in digits. */
export const STAMP = '@'
export const STAMP_LENGTH = 16

/** The digits of this moment. */
export const stamp = (): string =>
  (performance.timeOrigin + performance.now())
    .toFixed(2)
    .padStart(STAMP_LENGTH - 1, '0')
    .slice(0, STAMP_LENGTH - 1)
