// Which addresses a model may reach: those of the public Internet, and what the operator lets it.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** What the operator lets models reach although it is not public. */
export interface FetchAllowance {
  allowsHost(host: string): boolean;
  allowsAddress(address: string): boolean;
}

/** @param entries hosts, addresses and CIDRs, as the configuration has checked them */
export function readAllowance(entries: readonly string[]): FetchAllowance {
  const hosts = new Set<string>();
  const ranges = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    if (isIP(address) === 0) hosts.add(entry.toLowerCase());
    else if (prefix === undefined) ranges.addAddress(address, familyOf(address));
    else ranges.addSubnet(address, Number(prefix), familyOf(address));
  }
  return {
    allowsHost: (host) => hosts.has(host),
    allowsAddress: (address) => ranges.check(address, familyOf(address)),
  };
}

/**
 * Neither of this machine nor of a network behind it, nor another one in disguise: addresses of IPv6 that hold one of
 * IPv4 are none of the public ones.
 */
export function isPublicAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  if (isIP(bare) === 0 || ipaddr.parse(bare).range() !== 'unicast') return false;
  // Of IPv6, only these are given out.
  if (isIPv6(bare) && !GIVEN_OUT.check(bare, 'ipv6')) return false;
  return !ownAddresses().check(bare, familyOf(bare));
}

const GIVEN_OUT = new BlockList();
GIVEN_OUT.addSubnet('2000::', 3, 'ipv6');

/** Looked up each time: a machine changes networks. */
function ownAddresses(): BlockList {
  const own = new BlockList();
  for (const { address } of Object.values(networkInterfaces()).flatMap((found) => found ?? [])) {
    own.addAddress(address, familyOf(address));
  }
  return own;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
