// Ids: random, short, lower-case hex.
import { randomBytes } from 'node:crypto';

/** @param digits even number of hex digits */
export function randomHex(digits: number): string {
  return randomBytes(digits / 2).toString('hex');
}
