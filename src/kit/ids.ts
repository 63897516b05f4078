// Ids: random, short, lower-case hex.
import { randomFillSync } from 'node:crypto';

/** The system is asked for many at once: for each one it would cost more than all else that an id does. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** @param digits even number of hex digits, at most 8192 */
export function randomHex(digits: number): string {
  const bytes = digits / 2;
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const id = pool.toString('hex', used, used + bytes);
  // None that was given away stays here.
  pool.fill(0, used, used + bytes);
  used += bytes;
  return id;
}
