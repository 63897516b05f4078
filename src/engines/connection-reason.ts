// Why a connection could not be made, or broke: in a word for programs, in plain words for people.

/** `not_http` and `wants_tls`: bytes came, and were no answer. */
type ConnectionCause =
  | 'refused'
  | 'unknown_host'
  | 'no_route'
  | 'timeout'
  | 'certificate'
  | 'no_tls'
  | 'wants_tls'
  | 'not_http'
  | 'cut';

export interface ConnectionReason {
  readonly cause: ConnectionCause;
  /** Half a sentence that follows "it could not be reached: ". */
  readonly text: string;
  /** What to do about it; a whole sentence, or empty. */
  readonly advice: string;
}

const IS_IT_RUNNING = 'Is it running?';
const NAME_THE_CERTIFICATE =
  'Name its certificate, or that of its issuer, in NODE_EXTRA_CA_CERTS (a PEM file) and start again.';

const untrusted = (what: string): ConnectionReason => ({
  cause: 'certificate',
  text: `its certificate is not trusted (${what})`,
  advice: NAME_THE_CERTIFICATE,
});
const invalid = (text: string): ConnectionReason => ({ cause: 'certificate', text, advice: '' });
const REFUSED: ConnectionReason = {
  cause: 'refused',
  text: 'the connection was refused',
  advice: IS_IT_RUNNING,
};
const UNKNOWN_HOST: ConnectionReason = {
  cause: 'unknown_host',
  text: 'the host name is unknown',
  advice: '',
};
const NO_ROUTE: ConnectionReason = { cause: 'no_route', text: 'no network leads to it', advice: '' };
const TIMEOUT: ConnectionReason = {
  cause: 'timeout',
  text: 'it did not answer in time',
  advice: IS_IT_RUNNING,
};
const NO_TLS: ConnectionReason = {
  cause: 'no_tls',
  text: 'it answers without TLS',
  advice: 'Write http:// instead of https://.',
};
/** Also what a program says of itself that was asked without TLS. */
export const WANTS_TLS: ConnectionReason = {
  cause: 'wants_tls',
  text: 'it answers with TLS',
  advice: 'Write https:// instead of http://.',
};

const BY_CODE: Readonly<Record<string, ConnectionReason>> = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: { ...UNKNOWN_HOST, text: 'the host name could not be looked up' },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  ETIMEDOUT: TIMEOUT,
  UND_ERR_CONNECT_TIMEOUT: TIMEOUT,
  UND_ERR_HEADERS_TIMEOUT: TIMEOUT,
  UND_ERR_BODY_TIMEOUT: TIMEOUT,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted('it has signed itself'),
  SELF_SIGNED_CERT_IN_CHAIN: untrusted('its issuer has signed itself'),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted('its issuer is unknown'),
  UNABLE_TO_GET_ISSUER_CERT: untrusted('its issuer is unknown'),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted('its issuer is unknown'),
  CERT_UNTRUSTED: untrusted('its issuer is unknown'),
  CERT_HAS_EXPIRED: invalid('its certificate has expired'),
  CERT_NOT_YET_VALID: invalid('its certificate is not valid yet'),
  ERR_TLS_CERT_ALTNAME_INVALID: invalid('its certificate is for another name'),
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  UND_ERR_HEADERS_OVERFLOW: brokenHttp('its header fields have no end'),
};

/** @param error what Node, undici or fetch threw */
export function connectionReason(error: unknown): ConnectionReason {
  if (!(error instanceof Error)) return { cause: 'cut', text: 'unknown error', advice: IS_IT_RUNNING };
  const code = 'code' in error ? String(error.code) : '';
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (error.name === 'HTTPParserError') return strangeBytes(error);
  if (error.name === 'TimeoutError') return TIMEOUT;
  if (code.startsWith('CERT_')) return invalid(`its certificate is not accepted (${code})`);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return failedHandshake(code, error);
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  if (inner instanceof Error) return connectionReason(inner);
  return { cause: 'cut', text: 'the connection was cut', advice: IS_IT_RUNNING };
}

function failedHandshake(code: string, error: Error): ConnectionReason {
  const why = 'reason' in error ? String(error.reason) : code;
  if (/wrong version|packet length/i.test(`${why} ${error.message}`)) return NO_TLS;
  return { cause: 'certificate', text: `no TLS connection came about (${why})`, advice: '' };
}

/** How much of what came is shown. */
const SHOWN = 60;

/** undici's parser tells what it found. */
function strangeBytes(error: Error): ConnectionReason {
  const data = 'data' in error ? String(error.data) : '';
  // An alert or a handshake of TLS.
  if (data.startsWith('\u0015\u0003') || data.startsWith('\u0016\u0003')) return WANTS_TLS;
  const [, fault = ''] = /\(([^()]*)\)$/.exec(error.message) ?? [];
  if (!fault.startsWith('Expected HTTP/')) return brokenHttp(`its answer breaks HTTP (${fault})`);
  // A SETTINGS frame comes first there.
  const isSettings = data.startsWith('\0\0') && data[3] === '\u0004';
  const isHttp2 = isSettings || data.startsWith('PRI * HTTP/2');
  const said = data.replace(/[^\u0020-\u007e]+/g, ' ').trim();
  const shown = isHttp2 ? ' but HTTP/2' : said === '' ? '' : `: "${said.slice(0, SHOWN)}"`;
  return brokenHttp(`it answered with something that is no HTTP/1.1${shown}`);
}

function brokenHttp(text: string): ConnectionReason {
  return { cause: 'not_http', text, advice: '' };
}
