// What other programs (Ollama, npm, pip) say of a network that failed, in plain words.

/** Go, Node and Python name the same things by their own names. The first that fits counts. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /no such host|server misbehaving|ENOTFOUND|EAI_AGAIN|name or service not known|(temporary failure in )?name resolution|nodename nor servname/i,
    'its name could not be looked up (no name service, or no way to the internet)',
  ],
  [/connection refused|ECONNREFUSED/i, 'the connection was refused'],
  [
    /network is unreachable|no route to host|ENETUNREACH|EHOSTUNREACH/i,
    'no network leads to it (no way to the internet)',
  ],
  [
    /x509|certificate signed by unknown|SELF_SIGNED|self.signed certificate|UNABLE_TO_(GET|VERIFY)|CERTIFICATE_VERIFY_FAILED/i,
    'its certificate is not trusted (a proxy that opens TLS?)',
  ],
  [
    /i\/o timeout|TLS handshake timeout|deadline exceeded|timed out|ETIMEDOUT|ESOCKETTIMEDOUT|timeout exceeded/i,
    'it did not answer in time',
  ],
  [/connection reset|ECONNRESET|unexpected EOF|broken pipe/i, 'the connection was cut'],
  [/proxyconnect|proxy error|407 Proxy/i, 'the proxy refused'],
];

/** @returns half a sentence; null where the text is about something else */
export function foreignReason(text: string): string | null {
  return REASONS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
