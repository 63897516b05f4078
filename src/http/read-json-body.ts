// Bodies: JSON in strict UTF-8, not nested without end. Everything else is a 4xx before a route sees it.
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { shapeFault } from './scan-json.ts';

export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => (body.length === 0 ? undefined : parseJson(body)),
  );
}

function parseJson(body: Buffer): unknown {
  const fault = shapeFault(body);
  if (fault !== null) throw invalid(fault);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw invalid(error instanceof SyntaxError ? 'is not JSON' : 'is not UTF-8');
  }
  checkValue(value);
  return value;
}

/** Members that would change what holds them, and texts and numbers that could not be stored as they came. */
function checkValue(value: unknown): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalid('holds half of a surrogate pair, which is no text');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid('holds a number that is too large');
  } else if (Array.isArray(value)) {
    for (const item of value) checkValue(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (key === '__proto__') throw invalid('may not have a member named __proto__');
      checkValue(key);
      checkValue(member);
    }
  }
}

function invalid(reason: string): MochiError {
  return new MochiError('validation_error', `The body ${reason}.`, {
    errors: [{ path: '/body', message: reason }],
  });
}
