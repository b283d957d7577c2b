/**
 * The mutants: one invariant of the program after the other, broken on purpose by a replacement of text, and what has to
 * catch it. `mutants.ts` runs them; `mutants.test.ts` asserts that every text stands where it is looked for, once.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One replacement: `before` must stand in the file exactly once. */
export type Edit = readonly [file: string, before: string, after: string]

export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
  /** The test that catches it, where neither a rotation nor a SIGKILL can be relied on. */
  readonly test?: string
  /** A part of the names of the programs that catch it, where they are known: then the others need not run. */
  readonly program?: string
  /** A part of the name of the program of `processing.ts` that catches it. */
  readonly processing?: string
}

export const MUTANTS: readonly Mutant[] = [
  // ── The committed offset ───────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'commits one chunk early',
    edits: [
      [
        'src/tail/generation/generation.ts',
        '      if (outcome === undefined) break\n',
        '      if (outcome === undefined) {\n        if (end > 0) this.#committed = { offset: fileEnd, marker }\n        break\n      }\n',
      ],
    ],
    program: 'killed between two chunks',
  },
  {
    name: 'saves what was read instead of what was committed',
    edits: [
      [
        'src/tail/generation/generation.ts',
        'this.cursors.map(({ backend, committed, read, beyond }) => [',
        'this.cursors.map(({ backend, read, marker, beyond }) => [',
      ],
      [
        'src/tail/generation/generation.ts',
        'ended || beyond ? { ...committed, end: read } : committed,\n',
        '{ offset: read, marker, ...(ended || beyond ? { end: read } : {}) },\n',
      ],
    ],
    program: 'killed between two chunks',
  },
  {
    name: 'commits past a chunk that has not settled',
    edits: [
      [
        'src/tail/generation/generation.ts',
        '      if (outcome === undefined) break\n      this.account.commit(outcome)',
        '      if (outcome !== undefined) this.account.commit(outcome)',
      ],
    ],
    program: 'killed while it unpacks',
  },
  {
    name: 'starts again from 0 instead of the cursor',
    edits: [
      ['src/tail/generation/lineage.ts', 'const at = known ?? {', 'const at = (saved.cursors[""] ?? undefined) ?? {'],
    ],
    program: 'a truncated file that may not be read',
  },
  {
    name: 'does not save at the end',
    edits: [
      [
        'src/tail/tail.ts',
        'await this.#store.save(() => this.snapshot(clean, complete), true)',
        'await Promise.resolve(clean !== undefined || complete)',
      ],
    ],
    program: 'ended in order just after lines were written',
  },
  {
    name: 'writes the checkpoint in place',
    edits: [
      [
        'src/tail/state/checkpoint.ts',
        "await writeNew(directory, 'checkpoint.tmp', content)\n      await take('checkpoint')",
        "await writeNew(directory, 'checkpoint', content)",
      ],
    ],
    test: 'test/limits/saving.test.ts',
  },
  {
    name: 'renames the copy before it is on the disk',
    edits: [['src/tail/state/checkpoint.ts', '    if (sync) await handle.sync()\n', '']],
    test: 'test/limits/saving.test.ts',
  },
  {
    name: 'synchronizes only when it is asked to',
    edits: [
      ['src/tail/state/checkpoint.ts', 'const sync = asked || this.#mustSync(directory, at)', 'const sync = asked'],
    ],
    test: 'test/tail/state/checkpoint.test.ts',
  },
  {
    name: 'uses the ids of before after a power cut',
    edits: [['src/tail/state/boot.ts', 'boot === undefined || boot === now ? before :', "boot !== 'other' ? before :"]],
    program: 'and others take their place',
  },
  {
    name: 'forgets the boot when it saves',
    edits: [['src/tail/tail.ts', '...(!complete && this.#boot) }', '}']],
    program: 'and others take their place',
  },
  {
    name: 'forgets the salt when it saves',
    edits: [['src/tail/tail.ts', "...(salt !== '' && { salt }), ", '']],
    test: 'test/tail/state/boot.test.ts',
  },
  {
    name: 'saves a pinned file without synchronizing it',
    edits: [['src/tail/following/follower.ts', 'saver.now(!saver.isSynced(takenUpAt))', 'saver.now(takenUpAt < 0)']],
    test: 'test/tail/state/boot.test.ts',
  },
  {
    name: 'takes up a new name without synchronizing it',
    edits: [
      ['src/tail/following/follower.ts', 'this.#parts.saver.soon(sync)', 'this.#parts.saver.soon(sync && aside)'],
    ],
    test: 'test/tail/state/boot.test.ts',
  },
  {
    name: 'forgets the fsync of the directory',
    edits: [['src/tail/state/checkpoint.ts', '        await promisify(fsync)(directory.descriptor)\n', '']],
    test: 'test/limits/saving.test.ts',
  },

  // ── Who a file is ──────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'does not check the marker',
    edits: [
      [
        'src/tail/files/fingerprint.ts',
        'return bytes !== undefined && crc32(bytes) === marker.crc',
        'return bytes !== undefined || marker.crc === -1',
      ],
    ],
    program: 'past the old offset',
  },
  {
    name: 'does not check the head',
    edits: [
      ['src/tail/files/fingerprint.ts', 'headOf(bytes).hash === head.hash', "head.hash !== '-'"],
      ['src/tail/files/fingerprint.ts', '  return crc32(bytes) === head.crc\n', '  return true\n'],
      [
        'src/tail/files/fingerprint.ts',
        'headOf(scratch.subarray(0, head.length)).hash === head.hash',
        "head.hash !== '-'",
      ],
    ],
    test: 'test/tail/files/fingerprint.test.ts',
  },
  {
    name: 'does not check again behind a read',
    edits: [
      [
        'src/tail/framing/framer.ts',
        "    if (!tailer.intact(cursor)) return 'replaced'\n    if (!tailer.generation.examined)",
        '    if (!tailer.generation.examined)',
      ],
    ],
    // Random programs meet this moment too, but not on every machine within three minutes.
    test: 'test/tail/framing/framer.test.ts',
  },
  {
    name: 'forgets that a truncation begins another generation',
    edits: [
      [
        'src/tail/following/follower.ts',
        'lineage.begun(source, path, tailer.inode, Date.now(),',
        'lineage.begun(source, path, tailer.inode, 0,',
      ],
    ],
    program: 'past the old offset',
  },
  {
    name: 'leaves the first line out of the id',
    edits: [
      [
        'src/tail/generation/generation.ts',
        '    this.#origin = { ...this.#origin, generation }\n',
        '    void generation\n',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'sends a new generation before it is saved',
    edits: [
      [
        'src/tail/following/follower.ts',
        '    this.order.hold(tailer)\n    void this.#parts.saver.now()',
        '    void new Promise(resolve => setTimeout(resolve, 500))',
      ],
      [
        'src/tail/following/follower.ts',
        '    this.#parts.scheduler.markActive(tailer)\n    this.#parts.saver.soon(sync)\n',
        '    this.#parts.scheduler.markActive(tailer)\n    if (!sync) this.#parts.saver.later()\n',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'does not save its epoch at the start',
    edits: [['src/tail/tail.ts', '    await this.#store.save(() => ({ ...checkpoint, clean: false }), true)\n', '']],
    test: 'test/tail/tail.test.ts',
  },

  // ── Rotation ───────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'closes the handle at the rename',
    edits: [
      [
        'src/tail/generation/tailer.ts',
        'return this.#quiet(now) && this.generation.doneAt(this.size)',
        "return this.state.kind !== 'live' && this.generation.idle",
      ],
    ],
    test: 'test/tail/generation/tailer.test.ts',
  },
  {
    name: 'closes the handle before everything is acknowledged',
    edits: [
      [
        'src/tail/generation/tailer.ts',
        'return this.#quiet(now) && this.generation.doneAt(this.size)',
        "return this.state.kind !== 'live' && this.generation.cursors.every(({ read }) => read >= this.size)",
      ],
    ],
    test: 'test/tail/generation/tailer.test.ts',
  },
  {
    name: 'forgets to read the rest of a rotated file',
    edits: [
      [
        'src/tail/generation/tailer.ts',
        "    return { kind: 'intact', unread: this.#unread(final), changed }",
        "    return { kind: 'intact', unread: this.state.kind === 'live' && this.#unread(final), changed }",
      ],
    ],
    program: 'rotated twice between two looks',
  },
  {
    name: 'does not look for what was rotated before it was seen',
    edits: [
      [
        'src/tail/rotation/siblings.ts',
        "      if (says === 'nothing' || (strict && says !== 'numbered')) continue\n",
        "      if (says !== 'nothing' || strict) continue\n",
      ],
    ],
    program: 'rotated twice between two looks',
  },
  {
    name: 'does not look for the copy of a copytruncate',
    edits: [
      [
        'src/tail/rotation/search.ts',
        '    (_, wanted, { truncated }) =>\n      findCopy(wanted, (key, opened) => this.#isTracked(key, opened, truncated), this.snapshot),\n',
        '',
      ],
    ],
    test: 'test/tail/rotation/missed.test.ts',
  },
  {
    name: 'does not look for the copy of a copytruncate in files without a name',
    edits: [
      [
        'src/tail/rotation/search.ts',
        '    (entry, wanted, { truncated }) => this.#nameless(entry, wanted, truncated),\n',
        '',
      ],
    ],
    test: 'test/tail/rotation/lent.test.ts',
  },
  {
    name: 'takes a copy for a new file at once',
    edits: [
      [
        'src/tail/following/candidates.ts',
        '    if (this.final) return false\n    const { table, follower, lent }',
        "    if (this.final || path !== '') return false\n    const { table, follower, lent }",
      ],
    ],
    program: 'truncated a while later',
  },
  {
    name: 'does not look into compressed siblings',
    edits: [
      [
        'src/tail/rotation/unpack.ts',
        '    if (this.#state === null) return []\n    const blank',
        '    if (this.#state !== null) return []\n    const blank',
      ],
    ],
    program: 'killed while it unpacks',
  },
  {
    name: 'takes a file for unpacked that is not yet',
    edits: [['src/tail/rotation/unpack.ts', 'const part = `${generation}.part`', 'const part = generation']],
    program: 'killed while it unpacks',
  },
  {
    name: 'forgets the pins of the process before',
    edits: [['src/tail/following/recovery.ts', '  pins.inherit(keys, epoch)\n', '  pins.inherit(new Set(), epoch)\n']],
    test: 'test/tail/state/pins.test.ts',
  },
  {
    name: 'forgets finished files',
    edits: [['src/tail/generation/table.ts', '    this.#done.set(key, saved)\n', '    void saved\n']],
    program: 'a truncated file that may not be read',
  },
  {
    name: 'counts nothing as lost',
    edits: [
      [
        'src/tail/generation/truncation.ts',
        '      cursor.account.lost(gone)\n',
        '      cursor.account.lost(0 * gone)\n',
      ],
    ],
    program: 'what is lost is counted',
  },

  {
    name: 'takes whatever begins like the name for a rotation',
    edits: [
      [
        'src/tail/files/names.ts',
        '    return likeness(name, original)\n  }',
        "    return name.startsWith(original) ? 'numbered' : likeness(name, original)\n  }",
      ],
    ],
    program: 'files beside the log',
  },
  {
    name: 'knows a rotation by numbers only',
    edits: [['src/tail/files/names.ts', '    return likeness(name, original)\n  }', "    return 'nothing'\n  }"]],
    program: 'to the names of many tools',
  },
  {
    name: 'knows no archive of what was made while it was down',
    edits: [
      [
        'src/tail/rotation/siblings.ts',
        'const says = habits.says(withoutCompression(name), origin)',
        'const says = habits.says(name, origin)',
      ],
    ],
    test: 'test/tail/rotation/siblings.test.ts',
  },
  {
    name: 'forgets what was seen of a file and not read',
    edits: [
      [
        'src/tail/generation/tailer.ts',
        '    if (size <= furthest) {\n',
        '    if (size <= furthest || furthest === 0) {\n',
      ],
    ],
    program: 'copytruncates in an outage',
  },
  {
    name: 'counts as lost what a copy holds',
    edits: [
      [
        'src/tail/following/follower.ts',
        '    this.#time.search(name, () => search(lineage.lost(old, tailer.path)))\n',
        '    this.#parts.truncation.countLost(tailer.path, old, cursor => old.size - cursor.read)\n    this.#time.search(name, () => search(lineage.lost(old, tailer.path)))\n',
      ],
    ],
    program: 'copytruncates in an outage',
  },
  {
    name: 'forgets a copy that holds less than was read',
    edits: [
      [
        'src/tail/rotation/search.ts',
        '      table.rememberGone({ ...living.save(entry.path, true), ...emptied })\n',
        '      void emptied\n',
      ],
    ],
    program: 'than the copy holds',
  },
  {
    name: 'forgets where a file had ended before that',
    edits: [['src/tail/generation/tailer.ts', '    if (grew) generation.grew(before)\n', '']],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'takes noise for a generation',
    edits: [['src/tail/following/looks.ts', ' && !copied && isShredded(tailer)', ' && !copied && tailer.fd < 0']],
    program: 'shredded',
  },
  {
    name: 'takes what begins alike for a copy as long as it grows',
    edits: [['src/tail/rotation/siblings.ts', '  return sameBytes(opened.fd, tailer.fd, length)\n', '  return true\n']],
    test: 'test/tail/rotation/siblings.test.ts',
  },
  {
    name: 'does not look at finished files again',
    edits: [
      [
        'src/tail/rotation/missed.ts',
        '  return Number(stats.size) > Math.max(saved.size,',
        '  return Number(stats.size) < Math.min(0, saved.size,',
      ],
    ],
    program: 'renamed long ago',
  },
  {
    name: 'reads younger files of a name before older ones',
    edits: [
      [
        'src/tail/following/order.ts',
        '    const elders = table.eldersOf(tailer)\n    for (const cursor of generation.cursors) {',
        '    const elders = table.eldersOf(tailer).slice(1000)\n    for (const cursor of generation.cursors) {',
      ],
    ],
    program: 'older lines come first',
  },
  {
    name: 'reads while older files are still being found',
    edits: [
      ['src/tail/following/recovery.ts', '  follower.order.suspended = true\n', '  follower.order.suspended = false\n'],
    ],
    program: 'older lines come first',
  },

  // ── What came and went unseen ──────────────────────────────────────────────────────────────────────────────────
  {
    name: 'takes what was written behind an unseen truncation for what is known',
    edits: [
      [
        'src/tail/following/recovery.ts',
        'const isOther = isInode(stats, entry.inode) && stats.size > 0n && !isKept',
        'const isOther = isInode(stats, entry.inode) && stats.size < 0n && !isKept',
      ],
    ],
    test: 'test/tail/rotation/missed.test.ts',
  },
  {
    name: 'takes a file that stands where it is known to be for a copy',
    edits: [['src/tail/rotation/search.ts', '    if (this.standing.has(key)) return true\n', '']],
    test: 'test/tail/rotation/missed.test.ts',
  },
  {
    name: 'lets other content begin when it is noticed',
    edits: [
      [
        'src/tail/generation/generation.ts',
        'const at = modified > 0n && modified < now ? modified : now',
        'const at = modified < 0n ? modified : now',
      ],
    ],
    test: 'test/tail/rotation/missed.test.ts',
  },
  {
    name: 'reads a copy again whose lines have all been read',
    edits: [
      [
        'src/tail/following/candidates.ts',
        '      const generation = search.isKnown(origin => isRelated(path, origin), opened)\n',
        "      const generation = path === '' && search.isKnown(origin => isRelated(path, origin), opened)\n",
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'takes a new file for a copy whose lines have all been read',
    edits: [
      [
        'src/tail/following/candidates.ts',
        '      const generation = search.isKnown(origin => isRelated(path, origin), opened)\n',
        "      const generation = path !== '' || search.isKnown(origin => isRelated(path, origin), opened)\n",
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'takes what is younger than a truncation for a copy from before it',
    edits: [
      [
        'src/tail/rotation/search.ts',
        'if (emptied === undefined || opened.stats.birthtimeNs > BigInt(emptied)) continue',
        'if (emptied === undefined) continue',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'lets a backend that read behind the end of a copy keep the others from it',
    edits: [
      [
        'src/tail/rotation/siblings.ts',
        'if (!isGeneration(opened, { ...wanted, cursors: within })) return 0',
        'if (!isGeneration(opened, wanted)) return 0',
      ],
    ],
    program: 'while only one backend answers',
  },
  {
    name: 'orders an archive before what was followed when it was written',
    edits: [
      [
        'src/tail/rotation/archives.ts',
        'const least = made > after ? made : after + 1n',
        'const least = after < 0n ? after + 1n : made',
      ],
    ],
    test: 'test/tail/rotation/unpack.test.ts',
  },
  {
    name: 'does not look for what a path has just lost before a new name is taken up',
    edits: [
      [
        'src/tail/rotation/missed.ts',
        'if (vacancy.looked || !name.includes(vacancy.stem) || !isRelated(path, origin)) continue',
        'if (!vacancy.looked || !name.includes(vacancy.stem) || !isRelated(path, origin)) continue',
      ],
    ],
    test: 'test/tail/rotation/missed.test.ts',
  },
  {
    name: 'takes what was finished for gone once it is in another directory',
    edits: [['src/tail/rotation/search.ts', '(known !== undefined && isInode(known, inode)) || ', '']],
    test: 'test/tail/following/recovery.test.ts',
  },
  {
    name: 'forgets where rotations went that are gone',
    edits: [
      [
        'src/tail/following/recovery.ts',
        'if (!unpacked.holds(entry.path) && !pins.holds(entry.path)) habits',
        'if (!entry.gone && !unpacked.holds(entry.path) && !pins.holds(entry.path)) habits',
      ],
    ],
    test: 'test/tail/following/recovery.test.ts',
  },
  {
    name: 'takes what was written before a rename within the pattern for what its new name says',
    edits: [
      [
        'src/tail/following/recovery.ts',
        'wasWrittenBefore(opened, path, known) ? known.origin',
        'false ? known.origin',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },

  // ── What others may have written ───────────────────────────────────────────────────────────────────────────────
  {
    name: 'follows a link in the place of a private directory',
    edits: [['src/private.ts', 'O_RDONLY | O_DIRECTORY | O_NOFOLLOW', 'O_RDONLY | O_DIRECTORY']],
    test: 'test/private.test.ts',
  },
  {
    name: 'follows a link in the place of a private file',
    edits: [
      [
        'src/private.ts',
        '    const fd = openSync(this.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)\n',
        '    const fd = openSync(this.at(name), O_RDONLY | O_NONBLOCK)\n',
      ],
    ],
    test: 'test/private.test.ts',
  },
  {
    name: 'believes a checkpoint that names a place outside of the roots',
    edits: [
      [
        'src/tail/state/belonging.ts',
        'sources.reaches(source, path) ? entry : { ...entry, path: origin }',
        'sources.has(source) ? entry : { ...entry, path: origin }',
      ],
    ],
    test: 'test/tail/state/belonging.test.ts',
  },
  {
    name: 'believes a checkpoint that names a file no pattern matches',
    edits: [
      [
        'src/tail/state/belonging.ts',
        '    if (!sources.matches(source, origin)) {\n',
        '    if (!sources.has(source)) {\n',
      ],
    ],
    test: 'test/tail/state/belonging.test.ts',
  },
  {
    name: 'believes a checkpoint whose paths climb',
    edits: [
      [
        'src/tail/state/saved.ts',
        "!value.split('/').some(part => part === '..' || part === '.')",
        "!value.split('/').some(part => part === '.')",
      ],
    ],
    test: 'test/tail/state/saved.test.ts',
  },
  {
    name: 'unpacks each archive as if no other had been',
    edits: [['src/tail/rotation/unpack.ts', ' + taken) / SHARE) - taken\n', ' + taken) / SHARE)\n']],
    test: 'test/tail/rotation/unpack.test.ts',
  },

  // ── Lines ──────────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'takes half a line for a whole one',
    edits: [
      [
        'src/tail/framing/framer.ts',
        "    if (ending === 'open') return 'dry'\n    if (ahead.stale)",
        '    if (ahead.stale)',
      ],
    ],
    test: 'test/tail/framing/framer.test.ts',
  },
  {
    name: 'does not take the last line at the end',
    edits: [['src/tail/framing/reader.ts', 'tailer.endingIf(this.#final)', 'tailer.endingIf(false)']],
    program: 'half a line, and its other half',
  },
  {
    name: 'lets what waited for its turn at the end go before the line in front of it',
    edits: [
      [
        'src/tail/framing/reader.ts',
        '    const waited = [...this.#ring.splice(0), ...this.#ahead.splice(0)]\n',
        '    const waited: ReadTarget[] = []\n',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'reads what is written to a file that was found empty as its own',
    edits: [['src/tail/following/follower.ts', '    tailer.emptied = tailer.size === 0 && !aside\n', '']],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'takes a copy that grows for late lines',
    edits: [
      [
        'src/tail/following/candidates.ts',
        '    if (isSame && !copied && hasGrown(saved)) {\n',
        '    if (isSame && hasGrown(saved)) {\n',
      ],
    ],
    test: 'test/tail/tail.test.ts',
  },
  {
    name: 'ships the NULs of a hole as a part of their line',
    edits: [
      [
        'src/tail/framing/framer.ts',
        '      const padding = this.#intake.nuls(begin, line - begin)\n',
        '      const padding = this.#intake.nuls(begin, 0)\n',
      ],
    ],
    program: 'goes on where it was',
  },
  {
    name: 'does not say that a line was cut',
    edits: [
      [
        'src/tail/framing/framer.ts',
        'const cutFrom = over ? fileEnd - form.unit - cursor.read : 0',
        'const cutFrom = 0',
      ],
    ],
    test: 'test/tail/framing/framer.test.ts',
  },

  // ── Delivery and the ledger ────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'takes a 5xx for a delivery',
    edits: [
      [
        'src/backends/http.ts',
        'if (status >= 200 && status < 300) {',
        'if ((status >= 200 && status < 300) || status >= 500) {',
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'gives up at a 429',
    edits: [
      [
        'src/backends/http.ts',
        "    case 429:\n      return { kind: 'retry', reason, ...detail }\n",
        "      return { kind: 'retry', reason, ...detail }\n    case 429:\n      return { kind: 'rejected', reason, ...detail }\n",
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'takes a connection that broke for a delivery',
    edits: [
      [
        'src/delivery/attempt.ts',
        "  if (reply.kind === 'failure') return { kind: 'retry'",
        "  if (reply.kind === 'failure' && reply.sentBefore) return { kind: 'delivered' }\n  if (reply.kind === 'failure') return { kind: 'retry'",
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'takes a web page for a delivery',
    edits: [
      [
        'src/backends/http.ts',
        "    return isPage(answer) ? { kind: 'retry', reason: 'unexpected_html', misconfigured: true } : { kind: 'delivered' }\n",
        "    return { kind: 'delivered' }\n",
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'drops what follows a 413',
    edits: [
      [
        'src/delivery/shipment.ts',
        '        this.#work.unshift({ ...refused, ranges: upTo(ranges, half) }, { ...refused, ranges: behind(ranges, half) })\n',
        '        this.#work.unshift({ ...refused, ranges: upTo(ranges, half) })\n        settlement.deliver(slab, behind(ranges, half))\n',
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'rejects a request for one line of it',
    edits: [
      [
        'src/delivery/shipment.ts',
        '        if (records === 1) {\n          this.#hold(',
        "        if (verdict.kind === 'bisect') {\n          settlement.reject(slab, ranges, verdict.reason, status)\n          return\n        }\n        if (records === 1) {\n          this.#hold(",
      ],
    ],
    program: 'poisoned lines among good ones',
  },
  {
    name: 'rejects lines at an address that takes nothing',
    edits: [
      [
        'src/delivery/outcome/evidence.ts',
        '    if (this.#final) return true\n',
        '    if (known.refusals > 1) return true\n',
      ],
    ],
    program: 'everything is refused',
  },
  {
    name: 'sends lines before those of their file that are searched',
    edits: [
      [
        'src/delivery/shipment.ts',
        'const [held, ranges] = aside.empty\n',
        'const [held, ranges] = aside.empty || slab.frames > 0\n',
      ],
    ],
    program: 'poisoned lines among good ones',
  },
  {
    name: 'loses the lines that wait behind a search',
    edits: [
      [
        'src/delivery/aside/lane.ts',
        '    this.#queue.push(...records)\n',
        '    this.#queue.push(...records.slice(0, 8))\n',
      ],
    ],
    program: 'poisoned lines among good ones',
  },
  {
    name: 'takes a rejected line for a delivered one',
    edits: [
      [
        'src/delivery/aside/conclusions.ts',
        'reason: outcome.reason, status })\n      this.#settle(record, outcome)\n',
        'reason: outcome.reason, status })\n      this.#settle(record, DELIVERED)\n',
      ],
    ],
    program: 'poisoned lines among good ones',
  },
  {
    name: 'keeps no dead letter',
    edits: [
      [
        'src/delivery/aside/conclusions.ts',
        '      settlement.report({ chunk,',
        '      if (chunk.frames < 0) settlement.report({ chunk,',
      ],
    ],
    program: 'poisoned lines among good ones',
  },
  {
    name: 'settles twice',
    edits: [
      [
        'src/delivery/shipment.ts',
        '        settlement.deliver(slab, ranges)\n        return\n',
        '        settlement.deliver(slab, ranges)\n        settlement.deliver(slab, ranges)\n        return\n',
      ],
    ],
    test: 'test/delivery/delivery.test.ts',
  },
  {
    name: 'releases twice',
    edits: [
      [
        'src/delivery/sender.ts',
        '      this.#encoder.release(payload)\n',
        '      this.#encoder.release(payload)\n      if (payload.records % 7 === 0) this.#encoder.release(payload)\n',
      ],
    ],
    program: 'another first line and the same length',
  },
  {
    name: 'forgets to release after a retry',
    edits: [
      [
        'src/delivery/sender.ts',
        '      if (isRetryable(verdict)) continue\n',
        '      if (isRetryable(verdict)) {\n        retried.add(payload)\n        continue\n      }\n',
      ],
      [
        'src/delivery/sender.ts',
        '      this.#encoder.release(payload)\n',
        '      if (!retried.has(payload)) this.#encoder.release(payload)\n',
      ],
      [
        'src/delivery/sender.ts',
        'export class Sender {',
        'const retried = new WeakSet<Payload>()\n\nexport class Sender {',
      ],
    ],
    program: 'every fault in its turn',
  },
  {
    name: 'counts a retry in the ledger',
    edits: [
      [
        'src/delivery/sender.ts',
        "import type { Kernel } from '../kernel/kernel.ts'\n",
        "import type { Kernel } from '../kernel/kernel.ts'\nimport { book, DELIVERED } from '../ledger.ts'\n",
      ],
      [
        'src/delivery/sender.ts',
        '      if (isRetryable(verdict)) continue\n',
        '      if (isRetryable(verdict)) {\n        const { from } = payload.ranges[0]!\n        book(slab.chunks.find(chunk => from < chunk.firstFrame + chunk.frames)!.outcome, DELIVERED, 1, 1)\n        continue\n      }\n',
      ],
    ],
    program: 'what is lost is counted',
  },
  {
    name: 'sends payloads in no order',
    edits: [['src/delivery/batching.ts', 'if (sending >= concurrency)', 'if (sending >= concurrency + 1)']],
    program: 'killed while it unpacks',
  },
  {
    name: 'gives a repeated request another id',
    edits: [
      [
        'src/delivery/encoding/encoder.ts',
        "${hash('sha256', cut + ranges, 'hex').slice(0, 16)}`",
        "${hash('sha256', cut + ranges, 'hex').slice(0, 16)}${performance.now()}`",
      ],
    ],
    test: 'test/delivery/encoding/encoder.test.ts',
  },
  {
    name: 'gives other content an id that was used',
    edits: [
      [
        'src/backends/fields.ts',
        'const base = offsets?.base ?? fileStart - start',
        'const base = offsets?.base ?? 0 * fileStart - start',
      ],
    ],
    program: 'rotated twice between two looks',
  },
  {
    name: 'takes an address that refuses everything for one with bad lines',
    edits: [
      [
        'src/delivery/outcome/evidence.ts',
        '!this.#final && this.#refused >= DOUBT',
        '!this.#final && this.#refused < 0',
      ],
    ],
    test: 'test/delivery/outcome/evidence.test.ts',
  },
  {
    name: 'condemns a record though nothing was accepted between its refusals',
    edits: [
      [
        'src/delivery/outcome/evidence.ts',
        'if (this.acceptedSince(known.latest)) known.separate++',
        'known.separate++',
      ],
    ],
    test: 'test/delivery/outcome/evidence.test.ts',
  },
  {
    name: 'sends records past those of their file that wait for room aside',
    edits: [['src/delivery/aside/stash.ts', ' || lane.waiting > 0 || ', ' || ']],
    test: 'test/delivery/aside/stash.test.ts',
  },
  {
    name: 'keeps a file from its source for another one that is refused',
    edits: [['src/delivery/aside/share.ts', '(bytes < LANE_FULL && !this.#crowded)', 'bytes < 0']],
    test: 'test/delivery/aside/stash.test.ts',
  },
  {
    name: 'waits with other records for a backend that has only refused',
    edits: [['src/delivery/circuit.ts', 'fresh ? this.#earlyDue : this.#due', 'this.#due']],
    test: 'test/delivery/circuit.test.ts',
  },
  {
    name: 'names a request by its start only',
    edits: [
      ['src/delivery/encoding/encoder.ts', '-${records}-${hash(', '-${hash('],
      ['src/delivery/encoding/encoder.ts', 'cut + ranges,', "'',"],
    ],
    test: 'test/delivery/encoding/encoder.test.ts',
  },

  // ── Between reading and delivery ───────────────────────────────────────────────────────────────────────────────
  {
    name: 'redacts behind parsing and filters',
    edits: [
      [
        'src/process/stage.ts',
        '    redactor?.redact(slab, chunk)\n    if (found',
        '    if (redactor === found) return\n    if (found',
      ],
      [
        'src/process/stage.ts',
        '    const freed = this.#selector?.apply(slab, first) ?? false\n',
        '    const freed = this.#selector?.apply(slab, first) ?? false\n    for (const chunk of slab.chunks.slice(first)) this.#steps.get(chunk.origin.source)?.redactor?.redact(slab, chunk)\n',
      ],
    ],
    processing: 'dropped for what redaction left',
  },
  {
    name: 'counts the time of a last record from its first line',
    edits: [
      [
        'src/tail/framing/plan.ts',
        'function quietIn({ tailer, form }: Turn, now: number): number {\n',
        'const begun = new WeakMap<object, { read: number; at: number }>()\nfunction quietIn({ cursor, form }: Turn, now: number): number {\n  if (begun.get(cursor)?.read !== cursor.read) begun.set(cursor, { read: cursor.read, at: now })\n',
      ],
      ['src/tail/framing/plan.ts', 'Math.ceil(tailer.changedAt + flushOf', 'Math.ceil(begun.get(cursor)!.at + flushOf'],
    ],
    processing: 'never as slowly as the timer',
  },
  {
    name: 'ends a record where a read ends',
    edits: [
      [
        'src/tail/framing/intake.ts',
        'ends, rows, form.end, rule, whole)',
        'ends, rows, form.end, rule, whole || want > 0)',
      ],
    ],
    processing: 'a backlog of many records',
  },
  {
    name: 'names only where a record of several lines begins',
    edits: [['src/backends/fields.ts', '  return joined ? {', '  return joined && cutFrom < 0 ? {']],
    processing: 'killed between a flush and its continuation',
  },
  {
    name: 'forgets in the ledger what a filter drops',
    edits: [
      [
        'src/chunk.ts',
        "    book(into, { kind: 'dropped', reason }, dropped, sums[2 * index + 1]!)\n",
        "    if (reason === '') book(into, { kind: 'dropped', reason }, dropped, sums[2 * index + 1]!)\n",
      ],
    ],
    processing: 'dropped for what redaction left',
  },
  {
    name: 'drops over a limit by the time of reading',
    edits: [['src/process/select/selector.ts', 'chunk.readAt, chunk.shape?.timed ?? false)', 'chunk.readAt, false)']],
    processing: 'by the times of the records',
  },
  {
    name: 'verifies without a budget',
    edits: [
      ['src/kernel/assembly/process/redaction.ts', '  allowance -= <i32>bytes\n', '  if (bytes == 0) allowance -= 1\n'],
    ],
    test: 'test/process/redact/laws.test.ts',
  },
  {
    name: 'ends a run of equal records where a read ends',
    edits: [['src/tail/framing/intake.ts', 'if (runs === undefined || over || lines === 0)', 'if (lines >= 0)']],
    processing: 'behind a run that was sent',
  },
  {
    name: 'waits for ever for what is equal',
    edits: [['src/tail/framing/plan.ts', 'Math.ceil(openSince + runs.window - now)', 'runs.window']],
    test: 'test/tail/framing/runs.test.ts',
  },
  {
    name: 'compares equal records as redaction left them',
    edits: [
      [
        'src/process/stage.ts',
        'if (this.#steps.get(chunk.origin.source)?.runs) this',
        'this.#process(slab, chunk)\n      this',
      ],
    ],
    test: 'test/tail/framing/runs.test.ts',
  },
  {
    name: 'leaves what an expression matches where a rule has matched too',
    edits: [['src/kernel/assembly/process/own.ts', 'if (some) cover()', 'if (some && changes == before) cover()']],
    test: 'test/process/redact/own.test.ts',
  },
  {
    name: 'leaves what may be the beginning of what an expression matches',
    edits: [['src/kernel/assembly/process/own.ts', 'if (least < stop && !inert', 'if (least > stop && !inert']],
    test: 'test/process/redact/own.test.ts',
  },
  {
    name: 'joins parts of two streams',
    edits: [
      [
        'src/process/multiline/presets.ts',
        "go('stdoutP', 'joins', 1), go('stdoutF'",
        "go('stderrP', 'joins', 1), go('stdoutF'",
      ],
    ],
    test: 'test/process/parse/parts.test.ts',
  },
]

/** What is wrong with the mutations of the program that lies at `root`, a line for each. */
export function misplaced(root: string): string[] {
  return MUTANTS.flatMap(({ name, edits }) => {
    const texts = new Map<string, string>()
    return edits.flatMap(([file, before, after]) => {
      const parts = (texts.get(file) ?? textOf(join(root, file))).split(before)
      texts.set(file, parts.join(after))
      return parts.length === 2 ? [] : [`"${name}": its text stands ${parts.length - 1} times in ${file}: ${before}`]
    })
  })
}

/** Breaks the program that lies at `root`. */
export function apply({ name, edits }: Mutant, root: string): void {
  for (const [file, before, after] of edits) {
    const parts = readFileSync(join(root, file), 'utf8').split(before)
    if (parts.length !== 2) throw new Error(`"${name}": its text stands ${parts.length - 1} times in ${file}`)
    writeFileSync(join(root, file), parts.join(after))
  }
}

/** The list as Markdown. */
export function table(): string {
  const rows = MUTANTS.map(({ name, test, program, processing }) => {
    const by = program ?? processing ?? 'the fast torture'
    return `| ${name} | ${test === undefined ? by : `\`${test}\``} |`
  })
  return ['| Mutant | Caught by |', '| --- | --- |', ...rows].join('\n')
}

/** A file that is not there any more has no text. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
