// Header fields that have broken servers before.
import fc from 'fast-check';

const HEADER_VALUES: Readonly<Record<string, readonly string[]>> = {
  host: ['', 'evil.example', '127.0.0.1', 'localhost:99999', '[::1', '127.0.0.1@evil.example', 'a b', '\xff'],
  origin: ['null', 'http://evil.example', 'http://localhost:3000', 'file://', 'x', '', 'http://[', '\xe9'],
  authorization: ['Bearer', 'Bearer ', 'Basic eDp5', `Bearer ${'k'.repeat(4000)}`, '\x80\xff'],
  'x-request-id': ['a', 'a b', '', 'x'.repeat(129), '../../x', '{"a":1}', '%0d%0ax-injected: 1', '\xff'],
  'idempotency-key': [
    '',
    ' ',
    'k',
    'x'.repeat(255),
    'x'.repeat(256),
    '\xe9',
    "'; drop table turns",
    '__proto__',
  ],
  'last-event-id': ['0', '-1', '1', '1e9', '9007199254740993', 'NaN', 'x', '', '0x1', '1.5', 'Infinity'],
  'content-type': [
    '',
    ';',
    'application/json',
    'application/json;',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json; charset=utf-16',
    'application/json;charset="',
    'application/json, text/html',
    'text/plain',
    'text/json',
    'application/jsonp',
    'application',
    '*/*',
    '\xe9/\xfc',
    'a/b; c=d; c=e',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'application/x-ndjson',
    'application/problem+json',
    `application/json; ${'a=b;'.repeat(500)}`,
  ],
  'content-length': ['0', '1', '-1', '+2', '2 ', '1e1', '0x2', '', '99999999999999999999', '2, 2', 'x'],
  'content-encoding': ['gzip', 'br', 'deflate', 'identity', 'x', 'gzip, gzip'],
  'transfer-encoding': [
    'chunked',
    'identity',
    'gzip, chunked',
    'chunked, gzip',
    'xchunked',
    'chunked, chunked',
  ],
  expect: ['100-continue', '100-Continue', 'x', ''],
  upgrade: ['websocket', 'h2c', 'HTTP/2.0'],
  connection: ['close', 'upgrade, close', 'close, content-length', 'x, close'],
  accept: ['text/html', '*/*;q=0', 'application/xml', '\xff', ''],
  'accept-encoding': ['gzip, br', 'x', '*;q=0'],
  range: ['bytes=0-1', 'bytes=-1', 'bytes=9-1', 'x'],
  'if-none-match': ['*', '"x"', 'W/"'],
  'if-modified-since': ['x', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  'access-control-request-method': ['POST', 'X', ''],
  'access-control-request-headers': ['a', 'a, b', '\xe9', 'x'.repeat(2000)],
  'x-forwarded-for': ['127.0.0.1', "'"],
  'x-forwarded-host': ['evil.example'],
  'x-http-method-override': ['DELETE'],
  forwarded: ['host=evil.example;proto=https'],
  cookie: ['a=b', '__proto__=1', `a=${'x'.repeat(4000)}`],
  te: ['trailers'],
  trailer: ['content-length'],
  'accept-version': ['1.x', '99', '*', '\xff'],
};

type Header = readonly [name: string, value: string];

const knownHeaders = fc
  .constantFrom(...Object.keys(HEADER_VALUES))
  .chain((name) => fc.constantFrom(...(HEADER_VALUES[name] ?? [])).map((value): Header => [name, value]));

/** Any name and value without line ends; the wire allows fewer. */
const anyHeader = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom('a', 'B', '9', '-', '_', '.', '!', '~', ' ', ':', '('),
      minLength: 1,
      maxLength: 12,
    }),
    fc.string({
      unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 60,
    }),
  )
  .map(([name, value]): Header => [name, value.replaceAll(/[\r\n]/g, '')]);

const rudeHeaders = fc.constantFrom<Header>(
  ['x-long', 'x'.repeat(8000)],
  ['x-longer', 'x'.repeat(17_000)],
  ['x-a', '1\r\nx-injected: 1'],
  ['x-a', '1\r\n folded'],
  ['x-a', '1\0'],
  ['x-a', '1\nx-injected: 1'],
  ['x-a', '1\rx-injected: 1'],
  ['x a', '1'],
  ['x-many', Array.from({ length: 900 }, (_, index) => `\r\nx-${index}: `).join('')],
);

/** The first of a name replaces the usual one; more of it are sent as well. */
export const hostileHeaders = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: knownHeaders },
    { weight: 2, arbitrary: anyHeader },
    { weight: 1, arbitrary: rudeHeaders },
  ),
  { minLength: 1, maxLength: 4 },
);
