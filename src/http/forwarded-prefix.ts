// Addresses of this server as its client sees them: a proxy may have put it under a path of its own.
import type { FastifyRequest } from 'fastify';

/** Plain segments only: what is put together with it stays a path of the same origin. */
const PREFIX_PATTERN = /^(?:\/[\w~-][\w.~-]{0,99}){1,8}\/?$/;

/** @param path from the root of this server */
export function addressOf({ headers }: FastifyRequest, path: string): string {
  const prefix = headers['x-forwarded-prefix'];
  if (typeof prefix !== 'string' || !PREFIX_PATTERN.test(prefix)) return path;
  return prefix.replace(/\/$/, '') + path;
}
