/** What to look at when a backend did not take the line, by the reason that delivery gives. */

import { identityAdvice } from '../../delivery/identity/advice.ts'
import type { Missing } from '../../delivery/identity/missing.ts'

/** The first that fits. A reason is a status, a code of the connection, or a backend's own word. */
const ADVICE: readonly (readonly [reason: RegExp, advice: string])[] = [
  [/^proxy_CREDENTIALS_UNREADABLE$/, 'a file or variable that holds the proxy’s credentials cannot be read'],
  [/CREDENTIALS_UNREADABLE/, 'a file or variable that holds credentials cannot be read: is the Secret mounted?'],
  [/^proxy_407$/, 'the proxy asks for credentials: see proxy.auth'],
  [/^proxy_UNREADABLE_ANSWER$/, 'what answers at the proxy’s address is no HTTP proxy: see proxy.url'],
  [/^proxy_/, 'the proxy refused the request: see proxy'],
  [/^oauth2_/, 'there is no access token: see auth.oauth2'],
  [/ENOTFOUND|EAI_/, 'the name in the endpoint does not resolve here: is it spelt with its namespace?'],
  [/ECONNREFUSED/, 'nothing listens there: is the port right?'],
  [/CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, 'no route to it: is there a NetworkPolicy or a firewall?'],
  [
    /ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH/,
    'what answers does not speak TLS: http:// instead of https://?',
  ],
  [/HTTPS_EXPECTED/, 'it wants TLS: https:// instead of http://?'],
  [
    /CLIENT_CERTIFICATE_REFUSED|CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA/,
    'it asks for a client certificate that it trusts: see tls.cert and tls.key',
  ],
  [/CERT|SIGNATURE/, 'its certificate is not trusted: see tls.ca and tls.serverName'],
  [/ERR_SSL|EPROTO/, 'the TLS handshake failed: is it another version (tls.minVersion), or no TLS at all?'],
  [/HEADERS_TIMEOUT|BODY_TIMEOUT/, 'it was reached and did not answer in time (timeout)'],
  [
    /SOCKET|ECONNRESET|EPIPE/,
    'it closed the connection without an answer: does the port want TLS (https://), or another protocol?',
  ],
  [
    /UNREADABLE_ANSWER|UND_ERR|HPE_/,
    'what answers does not speak HTTP/1.1: a gRPC port (OTLP over HTTP is 4318, not 4317), or TLS behind http://?',
  ],
  [/ANSWER_TOO_LONG/i, 'its answer is too long for a log store: is this the ingest endpoint?'],
  [/GATEWAY_400/, 'a gateway in front of it refused the request: see the gateway’s own log'],
  [/^redirect$/, 'it points elsewhere: name that address as the endpoint, if it is no login page'],
  [/unexpected_html/, 'a web page, not a log store: is a login or a proxy in between?'],
  [/unexpected_answer|unreadable_answer/, 'not what this type of backend answers: is type right for this address?'],
  [/^http_401$/, 'the credentials are refused: see auth'],
  [/^http_403$/, 'the credentials are refused, or may not write there: see auth'],
  [/^http_404$/, 'there is nothing under that path: is it the ingest endpoint, and do the index and tenant exist?'],
  [/^http_405$|^http_501$/, 'that path does not accept such requests: is it the ingest endpoint?'],
  [/^http_406$|^http_415$/, 'it does not accept this format: see compression, and the type’s format or encoding'],
  [/^http_413$|too_large/, 'even a single line is too large for it: is this the ingest endpoint?'],
  [/^http_429$/, 'the address is right; it is overloaded or limits the rate'],
  [/^http_400$|^http_422$/, 'it refuses the line itself: logshipper test shows the request'],
  [/^http_4\d\d$/, 'it refuses the request: is it the ingest endpoint?'],
  [/^http_5\d\d$/, 'the address is right; the fault is on its side'],
]

/** `unauthorized`: the backend says so in its own words. */
export function adviceOn(reason: string, unauthorized: boolean): string | undefined {
  const known = identityAdvice(reason) ?? ADVICE.find(([pattern]) => pattern.test(reason))?.[1]
  return known ?? (unauthorized ? 'the credentials are refused: see auth' : undefined)
}

/** What to grant to an identity that is known and may not do something. */
export function grantOf({ action, resource }: Missing): string {
  return `the identity lacks a permission: grant ${action}${resource === undefined ? '' : ` on ${resource}`}`
}
