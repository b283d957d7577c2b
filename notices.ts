/**
 * What of others is in the bundle, and the notices that their licences ask every copy to carry.
 *
 * Guarantees: every package of which the bundler took a file is named, with its licence and the text of it; a package
 * without a text stops the build. Those that leave no file in the bundle and something in its bytes are named here.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

export interface Package {
  readonly name: string
  /** `undefined`: the one of the package that it is part of. */
  readonly version: string | undefined
  readonly license: string
  /** Licence and notice files, as they are. */
  readonly texts: readonly string[]
}

/** The kernel is compiled with the library of its language; the bundler writes some functions of its own. */
const COMPILERS = ['assemblyscript', 'esbuild']

/** The files of a package that are its notices. */
const TEXT = /^(licen[cs]e|notice|copying)(\.\w+)?$/i

/** Code of others in a package that does not carry their notice: whose, and where the text is. */
const WITHIN: Readonly<Record<string, { readonly name: string; readonly license: string; readonly file: string }>> = {
  undici: { name: 'llhttp', license: 'MIT', file: 'licences/llhttp.txt' },
}

/** The folders of the packages that `metafile` took files from, relative to `root`, in order. */
export function foldersOf({ inputs }: Pick<Metafile, 'inputs'>): string[] {
  // What a plugin has put together is called `namespace:path`.
  const folders = Object.keys(inputs).map(file => /^(?:[^:]*:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1])
  return [...new Set(folders.filter(folder => folder !== undefined))].sort()
}

/** Reads a package. Throws what is missing, by name. */
export function packageIn(folder: string): Package {
  const file = join(folder, 'package.json')
  const { name, version, license } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Package>
  if (!name || !version || !license) throw new Error(`${file}: found no name, version or licence; wanted: all three`)
  const texts = readdirSync(folder)
    .filter(each => TEXT.test(each))
    .sort()
    .map(each => readFileSync(join(folder, each), 'utf8').trim())
  if (texts.length === 0)
    throw new Error(`${folder}: found no text of its licence (${license}); wanted: LICENSE, NOTICE or COPYING`)
  return { name, version, license, texts }
}

/** All that is in a bundle that was made in `root`. */
export function bundled(root: string, metafile: Pick<Metafile, 'inputs'>): Package[] {
  const compilers = COMPILERS.map(name => join('node_modules', name))
  return [...foldersOf(metafile), ...compilers].flatMap(folder => {
    const found = packageIn(join(root, folder))
    const within = WITHIN[found.name]
    if (!within) return [found]
    const { name, license, file } = within
    return [found, { name, license, version: undefined, texts: [readFileSync(join(root, file), 'utf8').trim()] }]
  })
}

/** The notices as one text. */
export function notices(packages: readonly Package[]): string {
  const rule = '-'.repeat(80)
  const parts = packages.map(
    ({ name, version, license, texts }) =>
      `${rule}\n${[name, version].filter(Boolean).join(' ')} (${license})\n\n${texts.join('\n\n')}\n`,
  )
  const head =
    'logshipper-program.cjs and logshipper-manifests.cjs hold code of the packages below.\n' +
    'Their licences ask that these notices go with every copy.\n'
  return [head, ...parts].join('\n')
}
