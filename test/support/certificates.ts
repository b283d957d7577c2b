/** An authority of one's own, with OpenSSL, and certificates that it signs. */
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Pair {
  readonly cert: string
  readonly key: string
}

export const hasOpenssl = (): boolean => spawnSync('openssl', ['version']).status === 0

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export class Authority {
  readonly #directory: string
  readonly #name: string
  /** The file of its own certificate. */
  readonly cert: string

  constructor(directory: string, name = 'authority') {
    this.#directory = directory
    this.#name = name
    this.cert = this.#at(`${name}.pem`)
    openssl(
      'req',
      '-x509',
      ...EC,
      '-days',
      '2',
      '-keyout',
      this.#at(`${name}.key`),
      '-out',
      this.cert,
      '-subj',
      `/CN=${name}`,
    )
  }

  /** A certificate for `name`, good for `hosts` (`DNS:logs.test,IP:127.0.0.1`). */
  sign(name: string, hosts = `DNS:${name}`): Pair {
    const [cert, key, request] = [this.#at(`${name}.pem`), this.#at(`${name}.key`), this.#at(`${name}.csr`)]
    openssl('req', '-new', ...EC, '-keyout', key, '-out', request, '-subj', `/CN=${name}`)
    const extension = this.#at(`${name}.ext`)
    writeFileSync(extension, `subjectAltName=${hosts}\n`)
    const by = ['-CA', this.cert, '-CAkey', this.#at(`${this.#name}.key`), '-CAcreateserial']
    openssl('x509', '-req', '-in', request, ...by, '-days', '2', '-extfile', extension, '-out', cert)
    return { cert, key }
  }

  #at(file: string): string {
    return join(this.#directory, file)
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' })
}
