// Whether files are on another machine.
import { statfsSync } from 'node:fs';

/** https://man7.org/linux/man-pages/man2/statfs.2.html; other systems have other numbers. */
const KINDS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9P'],
]);

/** @param typeOf for tests. @returns what it is called; null: it is none, or nobody can tell */
export function networkFileSystemOf(
  path: string,
  typeOf: (path: string) => number = (one) => statfsSync(one).type,
): string | null {
  if (process.platform !== 'linux') return null;
  try {
    return KINDS.get(typeOf(path) >>> 0) ?? null;
  } catch {
    return null;
  }
}
