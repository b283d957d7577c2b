/** The head of a text that is too long: never a part of a character. */

/** The longest head of the text that has at most so many bytes, cut on a character's edge. */
export function headOf(text: string, bytes: number): string {
  // A UTF-16 unit has three bytes at the most.
  if (text.length * 3 <= bytes) return text
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  while (end > 0 && (encoded[end]! & 0xc0) === 0x80) end--
  return encoded.toString('utf8', 0, end)
}
