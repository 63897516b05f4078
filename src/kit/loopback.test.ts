import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLoopbackHost } from './loopback.ts';

test.each([
  'localhost',
  'LocalHost',
  'mochi.localhost',
  '127.0.0.1',
  '127.255.255.254',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '[::FFFF:7f00:1]',
])('%s is loopback', (host) => {
  expect(isLoopbackHost(host)).toBe(true);
});

test.each([
  '',
  '0.0.0.0',
  '::',
  '[::]',
  '10.0.0.1',
  '::ffff:10.0.0.1',
  '128.0.0.1',
  // Names that only look like it: each could be registered, or resolves differently per system.
  '127.0.0.1.example.com',
  'localhost.example.com',
  'notlocalhost',
  '127.1',
  '2130706433',
])('%s is not loopback', (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

test('all of 127.0.0.0/8 is loopback, and no text throws', () => {
  const octet = fc.nat(255);
  fc.assert(fc.property(octet, octet, octet, (a, b, c) => isLoopbackHost(`127.${a}.${b}.${c}`)));
  fc.assert(fc.property(fc.string(), (text) => typeof isLoopbackHost(text) === 'boolean'));
});
