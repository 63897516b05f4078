// Tokens that take the place of a key in the address of one stream: EventSource can send nothing else.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { instantNow } from '../kit/clock.ts';

export const TOKEN_SECONDS = 600;

export interface StreamTokens {
  issue(turnId: string): Promise<string>;
  accepts(token: string, turnId: string): Promise<boolean>;
}

/**
 * @param shared the secret of all servers on a database, whose clocks are set by hand; null: one of this process, whose end
 *   is the end of its tokens, and whose clock nobody sets
 * @param now in milliseconds
 */
export function createStreamTokens(
  shared: (() => Promise<string>) | null,
  now: () => number = shared === null ? () => performance.now() : instantNow,
): StreamTokens {
  const own = randomBytes(32);
  const secret = async () => (shared === null ? own : await shared());
  // No token tells anything about a key. No id has a blank in it.
  const seal = async (turnId: string, expiry: string) =>
    createHmac('sha256', await secret())
      .update(`${turnId} ${expiry}`)
      .digest();
  return {
    async issue(turnId) {
      const expiry = Math.floor(now() + TOKEN_SECONDS * 1000).toString(36);
      return `${expiry}.${(await seal(turnId, expiry)).toString('base64url')}`;
    },
    async accepts(token, turnId) {
      const [expiry = '', given = '', ...more] = token.split('.');
      const expected = await seal(turnId, expiry);
      const found = Buffer.from(given, 'base64url');
      if (more.length > 0 || found.length !== expected.length) return false;
      return timingSafeEqual(found, expected) && now() <= Number.parseInt(expiry, 36);
    },
  };
}
