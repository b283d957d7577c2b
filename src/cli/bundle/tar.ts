/**
 * An archive in the format that every tar reads: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"), and in
 * it regular files alone, with short names and nothing of who wrote them.
 */

const BLOCK = 512
/** Characters of a name that has a field of its own. */
const LONGEST_NAME = 100
const MODE = 0o644

export interface ArchivedFile {
  /** Of ASCII letters, at most a hundred. */
  readonly name: string
  readonly content: string | Uint8Array
}

/** `seconds`: when they were written, since the epoch. Throws for a name that has no place in a header. */
export function tar(files: readonly ArchivedFile[], seconds: number): Buffer {
  const parts: Buffer[] = []
  for (const { name, content } of files) {
    const bytes = Buffer.from(content as Uint8Array)
    parts.push(header(name, bytes.length, seconds), bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK))
  }
  // Two blocks of zeros are the end.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

function header(name: string, size: number, seconds: number): Buffer {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > LONGEST_NAME)
    throw new RangeError(`no name for an archive: ${name}`)
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, digits: number) =>
    block.write(`${Math.floor(value).toString(8).padStart(digits, '0')}\0`, at, 'latin1')
  block.write(name, 0, 'latin1')
  octal(MODE, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(seconds, 136, 11)
  // The sum is taken with blanks in its own place.
  block.write(' '.repeat(8), 148, 'latin1')
  block.write('0', 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  const sum = block.reduce((all, byte) => all + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}
