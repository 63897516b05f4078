// Which host names can only mean this machine.
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Whether a host reaches no further than this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `::1`.
 * @param host without port; IPv6 with or without brackets
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const family = isIP(name);
  // The list also knows the long forms of ::1 and IPv4 inside IPv6 (::ffff:127.0.0.1).
  if (family !== 0) return loopback.check(name, family === 4 ? 'ipv4' : 'ipv6');
  return name === 'localhost' || name.endsWith('.localhost');
}
