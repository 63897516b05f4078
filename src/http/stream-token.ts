// Tokens that take the place of a key in the address of one stream: EventSource can send nothing else.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export const TOKEN_SECONDS = 600;

/** Of this process: its end is the end of its tokens, and no token tells anything about a key. */
const secret = randomBytes(32);

/** @param now milliseconds on the clock of this process, which nobody sets */
export function issueStreamToken(turnId: string, now = performance.now()): string {
  const expiry = Math.floor(now + TOKEN_SECONDS * 1000).toString(36);
  return `${expiry}.${seal(turnId, expiry).toString('base64url')}`;
}

export function isStreamToken(token: string, turnId: string, now = performance.now()): boolean {
  const [expiry = '', given = '', ...more] = token.split('.');
  const expected = seal(turnId, expiry);
  const found = Buffer.from(given, 'base64url');
  if (more.length > 0 || found.length !== expected.length) return false;
  return timingSafeEqual(found, expected) && now <= Number.parseInt(expiry, 36);
}

function seal(turnId: string, expiry: string): Buffer {
  // No id has a blank in it.
  return createHmac('sha256', secret).update(`${turnId} ${expiry}`).digest();
}
