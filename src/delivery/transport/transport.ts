/**
 * What delivery asks of a transport: one request at a time, whose outcome is a value.
 */
import type { Answer, RequestHead } from '../../backends/backend.ts'

/** One request. `body` may lie in the arena: it must stay as it is until the request has its reply. */
export interface HttpRequest {
  readonly head: RequestHead
  readonly contentType: string
  readonly encoding: 'gzip' | 'zstd' | undefined
  readonly body: Buffer
}

/**
 * `answer`: it was read to its end. `failure`: there is none, and `code` says why (a system code or one of undici's);
 * `sentBefore` says that some of the request may have reached the other side, so that sending it again may repeat it.
 */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly code: string; readonly sentBefore: boolean }

/**
 * When certificates end, of whom they are: the server and its proxy, as they showed them in the last handshake, our own, and
 * the server that access tokens come from. Milliseconds since the epoch; what is not known, or not used, is left out.
 */
export type Certificates = Readonly<Partial<Record<'server' | 'client' | 'proxy' | 'token_server', number>>>

export interface Transport {
  /** Left out: it knows of none. */
  readonly certificates?: Certificates
  /** Where the credentials of requests come from, if not from the configuration. */
  readonly identity?: string | undefined
  /** Never rejects. When it resolves, nothing reads `body` any more. */
  send(request: HttpRequest): Promise<Reply>
  /** Reads credentials and certificates again. Returns whether they are others than before. */
  reload(): boolean
  /** Drops what is under way: it fails with `ABORTED`, as does whatever is sent later. */
  abort(): void
  /** Ends idle connections; call it when nothing is under way. */
  close(): Promise<void>
}

/** Faults of a connection that no waiting will mend: someone has to look at the configuration, here or there. */
const LASTING = [
  /^(CREDENTIALS_UNREADABLE|CLIENT_CERTIFICATE_REFUSED|HTTPS_EXPECTED|GATEWAY_400)$/,
  /^(proxy|oauth2)_(CREDENTIALS_UNREADABLE|3\d\d|4(?!08|29)\d\d|http_3\d\d|http_4(?!08|29)\d\d)$/,
  /^oauth2_(invalid_\w+|unauthorized_client|unsupported_\w+|unreadable_answer)$/,
  /^aws_(none|incomplete_environment|ended|CREDENTIALS_UNREADABLE|\w+_(uri_unusable|no_role|unreadable_answer))$/,
  /^aws_(sts|container|instance)_http_(3\d\d|4(?!08|29)\d\d)$/,
  /^aws_sts_(AccessDenied|ExpiredTokenException|IDPRejectedClaim|InvalidIdentityToken|InvalidAction)$/,
  /^aws_sts_(RegionDisabledException|ValidationError|ENOTFOUND)$/,
  /^(google|azure)_(CREDENTIALS_UNREADABLE|none|no_tenant|no_client)$/,
  /^google_(metadata|token|sts|impersonation)_(invalid_\w+|un(authoriz|expect|support)ed_\w+|unreadable_answer)$/,
  /^google_(token|sts|impersonation)_(access_denied|HTTPS_EXPECTED)$/,
  /^azure_(token|instance)_(AADSTS\d+|invalid_\w+|un(authoriz|support)ed_\w+|unreadable_answer)$/,
  /^azure_token_(access_denied|HTTPS_EXPECTED)$/,
  /^(google_(metadata|token|sts|impersonation)|azure_(token|instance))_http_(3\d\d|4(?!08|29)\d\d)$/,
]

/** Of whom a token is asked, or through whom: they say the same of their certificates. */
const FROM = /^(proxy_|oauth2_|aws_sts_|google_(token|sts|impersonation)_|azure_token_)+/
/** OpenSSL's words about a certificate, or about something that is no TLS at all. */
const OF_TLS = [
  /^(CERT_\w+|ERR_TLS_CERT_ALTNAME_INVALID|\w*SELF_SIGNED_CERT\w*|UNABLE_TO_\w*(CERT|SIGNATURE)\w*)$/,
  /^ERR_SSL_WRONG_VERSION_NUMBER$/,
]

export function isLasting(code: string): boolean {
  const said = code.replace(FROM, '')
  return LASTING.some(pattern => pattern.test(code)) || OF_TLS.some(pattern => pattern.test(said))
}
