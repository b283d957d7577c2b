/**
 * Addresses as JSON Schema can check them, for editors: what our readers take in the usual ways of writing it. Where the
 * two differ the readers have the last word.
 */

/** http:// or https://, without credentials. */
export const URL_PATTERN = '^[hH][tT][tT][pP][sS]?://[^\\s/?#@]+(?:[/?#]|$)'

/** The same, and without a scheme: a proxy is http:// then. */
export const PROXY_PATTERN = '^(?:[hH][tT][tT][pP][sS]?://|(?![A-Za-z][A-Za-z0-9+.-]*://))[^\\s/?#@]+(?:[/?#]|$)'

/** `host:port`, or off. */
export const ADDRESS_PATTERN = '^(?:off|(?:\\[[0-9A-Fa-f:.]+\\]|[^\\s:[\\]]+):\\d{1,5})$'
