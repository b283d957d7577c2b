/** `logshipper version`: what one needs to know of a program that misbehaves: which one it is, and what it runs on. */
import { REVISION, VERSION } from '../version.ts'

/** With `--json`. The keys are always there; `revision` is null where the build knew none. */
export interface About {
  readonly version: string
  readonly revision: string | null
  readonly node: string
  /** As images are named: `linux/amd64`. */
  readonly platform: string
}

/** Names of architectures that Node has others for than images do. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

export function about(): About {
  const { version, platform, arch } = process
  return {
    version: VERSION,
    revision: REVISION === 'unknown' ? null : REVISION,
    node: version.replace(/^v/, ''),
    platform: `${platform}/${ARCHITECTURES[arch] ?? arch}`,
  }
}

/** The second word is the version, as of `logshipper --version`, which prints it alone. The revision is shortened. */
export function inOneLine({ version, revision, node, platform }: About): string {
  const built = revision === null ? [] : [`revision ${revision.replace(/^([0-9a-f]{12})[0-9a-f]+/, '$1')}`]
  return `logshipper ${version} (${[...built, `node ${node}`, platform].join(', ')})`
}
