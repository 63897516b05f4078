import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { isPublicAddress, readAllowance } from './check-address.ts';

test.each([
  ['this machine', ['127.0.0.1', '127.255.0.9', '::1', '0.0.0.0', '0.1.2.3', '::']],
  ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12::1']],
  ['link-local', ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fec0::1']],
  ['behind a carrier', ['100.64.0.1', '100.127.255.255']],
  ['many at once', ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1']],
  [
    'reserved',
    ['192.0.0.8', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '2001:db8::1'],
  ],
  ['one of IPv4 in one of IPv6', ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '::ffff:0:127.0.0.1']],
  ['NAT64', ['64:ff9b::7f00:1', '64:ff9b:1::7f00:1']],
  ['6to4 and Teredo', ['2002:7f00:1::', '2001::1']],
  ['not given out', ['4000::1', '100:0:0:1::1', '5f00::1', '3fff::1']],
  ['no address', ['', 'localhost', '127.1', '0x7f.1', '1.2.3.4.5']],
])('%s is not public', (_what, addresses) => {
  expect(addresses.filter((address) => isPublicAddress(address))).toEqual([]);
});

test('public ones are, those of this machine aside', () => {
  const others = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111'];
  expect(others.filter((address) => !isPublicAddress(address))).toEqual([]);
  const own = Object.values(networkInterfaces()).flatMap((found) =>
    (found ?? []).map(({ address }) => address),
  );
  expect(own.filter((address) => isPublicAddress(address))).toEqual([]);
});

test('the operator allows hosts, addresses and networks', () => {
  const allowance = readAllowance(['wiki.example', '10.1.0.0/16', '192.168.0.7', 'fd00::/8']);
  expect(['wiki.example', 'a.wiki.example', 'example'].map((host) => allowance.allowsHost(host))).toEqual([
    true,
    false,
    false,
  ]);
  const asked = ['10.1.255.255', '10.2.0.0', '192.168.0.7', '192.168.0.8', 'fd12::1', 'fc00::1'];
  expect(asked.map((address) => allowance.allowsAddress(address))).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});
