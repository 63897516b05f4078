// Methods and pieces of URLs that have broken servers before.
import fc from 'fast-check';

/** As they stand between two slashes of a path: encoded where HTTP asks for it, and not always. */
const KNOWN_SEGMENTS = [
  '',
  '.',
  '..',
  '%2e%2e',
  '..%2F..%2Fx',
  '..%2f..%2f..%2f..%2fetc%2fpasswd',
  '..%5Cx',
  '..%255c..%255cx',
  '..;/..;/x',
  '%00',
  'a%00b',
  '%0d%0ax-injected:%201',
  '%20',
  '+',
  'a'.repeat(64),
  'a'.repeat(65),
  'a'.repeat(300),
  'a'.repeat(1200),
  '%F0%9F%98%80',
  '%E2%80%AE%D7%A9%D7%9C%D7%95%D7%9D',
  '%ED%A0%80',
  '%C0%AF',
  '%FF',
  '%',
  '%z',
  '%u0041',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'true',
  '*',
  ':session_id',
  '{session_id}',
  "1'%20or%20'1'='1",
  '$%7Bjndi:ldap://x%7D',
  '0123456789',
  'b5a3d7e4c9',
  'turn_0f3c5a9d21be',
  'llama3.2:latest',
  'hf.co%2Forg%2Frepo:Q4_K_M',
  'hf.co/org/repo:Q4_K_M',
  '/',
  '//x',
  '?x',
  ';x=1',
  '%3Fx',
  '%23x',
];

const INDICES = [
  '0',
  '1',
  '2',
  '-0',
  '-1',
  '00',
  '+0',
  '01',
  '1.0',
  '0.5',
  '1e0',
  '1e3',
  '1e400',
  '-1e400',
  'NaN',
  'Infinity',
  '-Infinity',
  '0x0',
  '0b0',
  '0o0',
  '1n',
  '',
  '%20',
  '%200',
  '0%20',
  '0,1',
  '0;1',
  'true',
  'null',
  '[]',
  '{}',
  '9007199254740991',
  '9007199254740993',
  '99999999999999999999999999',
  '-9223372036854775808',
  '2147483648',
  '1_000',
  '٣',
  '%D9%A3',
  '1/2',
  '..',
  '%00',
];

/** Any bytes that may stand in the target of a request. */
const anySegment = fc
  .string({ unit: 'binary', maxLength: 40 })
  .map((text) => encodeURIComponent(text.toWellFormed()));

export const hostileSegments = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...KNOWN_SEGMENTS) },
  { weight: 1, arbitrary: anySegment },
  { weight: 1, arbitrary: fc.webSegment() },
);

export const hostileIndices = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...INDICES) },
  { weight: 1, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: hostileSegments },
);

/** Cursors that decode to odd JSON, and some that decode to nothing. */
const cursors = fc.oneof(
  fc
    .oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>([], [0], [-1], [1.5], [null], ['x'], ['x', 'y'], [0, 0], { 0: 1 }, [[0]]),
      fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
      fc.double().map((number) => [number]),
    )
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc.constantFrom(
    Buffer.from('[1e999]').toString('base64url'),
    Buffer.from('[-1e999]').toString('base64url'),
    Buffer.from('["\\ud800","x"]').toString('base64url'),
    Buffer.from('["\\u0000","\\u0000"]').toString('base64url'),
    Buffer.from(`${'['.repeat(180)}${']'.repeat(180)}`).toString('base64url'),
    Buffer.from([0xff, 0xfe, 0x00]).toString('base64url'),
    'x'.repeat(500),
    'x'.repeat(501),
    '%00',
    '%FF',
    '',
    '=',
  ),
);

const numbers = fc.oneof(fc.constantFrom('1', '2', '1000', '1001', '999999999999'), hostileIndices);

const queryPairs = fc.oneof(
  fc.tuple(fc.constant('limit'), numbers),
  fc.tuple(fc.constant('after'), numbers),
  fc.tuple(fc.constant('cursor'), cursors),
  fc.tuple(
    fc.constantFrom('limit[]', 'limit[a]', 'cursor[]', 'wait', 'q', 'format', '__proto__', '__proto__[x]'),
    hostileSegments,
  ),
  fc.tuple(hostileSegments, hostileSegments),
);

/** With its question mark; keys repeat. */
export const hostileQueries = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  {
    weight: 4,
    arbitrary: fc
      .array(queryPairs, { minLength: 1, maxLength: 4 })
      .map((pairs) => `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('?', '??', '?&&&', '?=', '?limit', '?%', `?${'a=1&'.repeat(2000)}`),
  },
);

export const hostileMethods = fc.oneof(
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'),
  fc.constantFrom('PURGE', 'LOCK', 'MKCOL', 'SEARCH', 'REPORT', 'M-SEARCH', 'get', 'FOO', 'G@T'),
);
