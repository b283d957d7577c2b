/** How a stamped line begins: the sign, then when it was written, in digits. */
export const STAMP = '@'
export const STAMP_LENGTH = 16
