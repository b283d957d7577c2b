/** What services of AWS have in common: who signs, whether it is signed, and how they refuse. The keys are no keys. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { Answer } from '../../src/backends/backend.ts'
import type { Request } from './subject.ts'

export const REGION = 'eu-central-1'
export const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-a-test' }
export const AUTH = { aws: { region: REGION, ...KEYS } }

const aws4 = createRequire(import.meta.url)('aws4') as {
  sign(request: object, keys: object): { readonly headers: Readonly<Record<string, string>> }
}

/** Throws unless another implementation signs what has come in the same way. */
export function signed({ method, url, headers, body, wire = body }: Request, service: string): void {
  const given = String(headers.authorization)
  const names = /SignedHeaders=([^,]+), /.exec(given)?.[1]?.split(';') ?? []
  assert.ok(
    ['content-type', 'host', 'x-amz-date'].every(name => names.includes(name)),
    given,
  )
  const fields = Object.fromEntries(names.map(name => [name, headers[name]]))
  const extraHeadersToIgnore = { 'content-length': true }
  const request = { service, region: REGION, method, path: url, body: wire, headers: fields, extraHeadersToIgnore }
  assert.equal(given, aws4.sign(request, KEYS).headers['Authorization'])
}

export const awsError = (status: number, type: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify({ __type: type, message }),
})

export const awsSays = (body: object): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: JSON.stringify(body),
})
