// Requests that are sent again: SDKs do so by themselves when a connection breaks or takes too long, and would have
// everything said twice.
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { MochiError } from '../../contract/errors.ts';
import type { Asked } from '../../dialects/dialect.ts';

/** How long a request can be repeated. */
const KEPT_MS = 15 * 60 * 1000;
const MAX_KEPT = 10_000;

interface Begun {
  /** Null: it has no turn that is stored. */
  readonly turnId: Promise<string | null>;
  /** Of its body. */
  readonly hash: string;
  readonly at: number;
}

/** What one request is, whoever sends it again. */
export interface RequestMark {
  readonly name: string;
  readonly hash: string;
  /** Whether it says that it is a repetition, or may be one. */
  readonly isRepeated: boolean;
}

/** @param route of all requests that can be equal */
export function markOf(
  request: FastifyRequest,
  route: string,
  { session, keyDigest, idempotencyKey }: Pick<Asked, 'session' | 'keyDigest' | 'idempotencyKey'>,
): RequestMark {
  const hash = createHash('sha256')
    .update(JSON.stringify(request.body ?? null))
    .digest('hex');
  return {
    name: JSON.stringify([route, session, keyDigest, idempotencyKey ?? hash, idempotencyKey === null]),
    hash,
    isRepeated: idempotencyKey !== null || Number(request.headers['x-stainless-retry-count'] ?? 0) > 0,
  };
}

/** Has a lifetime: that of the server. */
export class RepeatedRequests {
  /** By name, the oldest first. */
  readonly #begun = new Map<string, Begun>();

  /**
   * @returns the turn of the request that this one repeats; null: it is new
   * @throws MochiError idempotency_mismatch
   */
  async find({ name, hash, isRepeated }: RequestMark): Promise<string | null> {
    const begun = this.#begun.get(name);
    if (!isRepeated || begun === undefined || performance.now() - begun.at > KEPT_MS) return null;
    if (begun.hash !== hash) {
      throw new MochiError(
        'idempotency_mismatch',
        'This idempotency key came with another request before. Use a new key for a new request.',
      );
    }
    return begun.turnId;
  }

  /** @param turnId what comes of it; may reject: then there is nothing to join */
  note({ name, hash }: RequestMark, turnId: Promise<string | null>): void {
    const safe = turnId.catch(() => null);
    this.#begun.delete(name);
    this.#begun.set(name, { turnId: safe, hash, at: performance.now() });
    for (const [oldest, { at }] of this.#begun) {
      if (this.#begun.size <= MAX_KEPT && performance.now() - at <= KEPT_MS) break;
      this.#begun.delete(oldest);
    }
    void safe.then((found) => {
      if (found === null && this.#begun.get(name)?.turnId === safe) this.#begun.delete(name);
    });
  }
}
