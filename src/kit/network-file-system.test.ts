import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { networkFileSystemOf } from './network-file-system.ts';

it.runIf(process.platform === 'linux')('names what is on another machine, and only that', () => {
  // As the system gives it: a number that has a sign on some machines.
  expect(networkFileSystemOf('/data', () => 0x6969)).toBe('NFS');
  expect(networkFileSystemOf('/data', () => 0xff534d42 | 0)).toBe('CIFS');
  expect(networkFileSystemOf('/data', () => 0xef53)).toBeNull();
  expect(networkFileSystemOf(tmpdir())).toBeNull();
  expect(networkFileSystemOf('/there/is/none')).toBeNull();
});
