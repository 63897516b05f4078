// What a dialect is told of a request.
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { BUSY_POLICIES, DISCONNECT_POLICIES, type DisconnectPolicy } from '../../contract/chat.ts';
import { invalidField } from '../../contract/errors.ts';
import type { Asked } from '../../dialects/dialect.ts';
import { keysOf } from '../access.ts';
import { idempotencyKeyOf } from '../params.ts';

/** @param hasKeys whether requests need a key: whatever is sent as one is ignored otherwise */
export function requestOf(
  request: FastifyRequest,
  signal: AbortSignal,
  hasKeys: boolean,
): Omit<Asked, 'joined'> {
  const { session, ...params } = textsOf(request.params);
  return {
    requestId: request.id,
    body: request.body ?? null,
    params,
    query: textsOf(request.query),
    session: headerOf(request, 'x-mochi-session') ?? session ?? null,
    keyDigest: createHash('sha256')
      .update(hasKeys ? (keysOf(request)[0] ?? '') : '')
      .digest('hex'),
    idempotencyKey: idempotencyKeyOf(request.headers),
    onBusy: policyOf(request, 'x-mochi-on-busy', BUSY_POLICIES) ?? 'queue',
    signal,
  };
}

/** @throws MochiError validation_error */
export function onDisconnectOf(request: FastifyRequest): DisconnectPolicy | undefined {
  return policyOf(request, 'x-mochi-on-disconnect', DISCONNECT_POLICIES);
}

function policyOf<const T extends string>(
  request: FastifyRequest,
  name: string,
  policies: readonly T[],
): T | undefined {
  const given = headerOf(request, name);
  if (given === undefined) return undefined;
  const policy = policies.find((known) => known === given);
  if (policy === undefined) throw invalidField(`/headers/${name}`, `must be one of ${policies.join(', ')}`);
  return policy;
}

function headerOf({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Of what comes twice, the last. */
function textsOf(values: unknown): Record<string, string> {
  const texts = Object.entries(Object(values)).map(([name, value]) => [
    name,
    String(Array.isArray(value) ? value.at(-1) : value),
  ]);
  return Object.fromEntries(texts);
}
