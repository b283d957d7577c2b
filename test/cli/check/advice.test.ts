import t from 'tap'
import { adviceOn } from '../../../src/cli/check/advice.ts'

t.test('whatever keeps a connection or a request from being taken has an advice', t => {
  const reasons = [
    ...['CREDENTIALS_UNREADABLE', 'CLIENT_CERTIFICATE_REFUSED', 'HTTPS_EXPECTED', 'GATEWAY_400'],
    ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
    ...['CONNECT_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'HEADERS_TIMEOUT', 'BODY_TIMEOUT', 'UND_ERR_SOCKET'],
    ...['UNREADABLE_ANSWER', 'ANSWER_TOO_LONG', 'UND_ERR_HEADERS_OVERFLOW', 'EPROTO'],
    ...['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ...['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'],
    ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
    ...['proxy_407', 'proxy_502', 'proxy_ECONNREFUSED', 'proxy_UNREADABLE_ANSWER', 'oauth2_invalid_client'],
    ...['redirect', 'unexpected_html', 'unexpected_answer', 'unreadable_answer', 'answer_too_long', 'too_large'],
    ...[400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 501, 502, 503, 507].map(n => `http_${n}`),
  ]
  for (const reason of reasons) t.match(adviceOn(reason, false), /./, reason)
  t.equal(adviceOn('no_such_index', false), undefined, 'a backend’s own word needs none')
  t.match(adviceOn('token_disabled', true), /credentials/)
  t.end()
})

t.test('the more particular advice comes first', t => {
  const table: [reason: string, advice: RegExp][] = [
    ['proxy_CREDENTIALS_UNREADABLE', /proxy’s credentials/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /not trusted/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /client certificate/],
    ['UND_ERR_CONNECT_TIMEOUT', /NetworkPolicy/],
    ['UND_ERR_SOCKET', /closed the connection/],
    ['http_501', /does not accept such requests/],
  ]
  for (const [reason, advice] of table) t.match(adviceOn(reason, false), advice, reason)
  t.end()
})
