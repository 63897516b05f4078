// Bodies: JSON in strict UTF-8, not nested without end. Everything else is a 4xx before a route sees it.
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { jsonFault } from '../kit/json-fault.ts';
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
  // The depth was looked at before; this key would change what holds it.
  const unfit = jsonFault(value, { maxDepth: Number.POSITIVE_INFINITY, refusedKey: '__proto__' });
  if (unfit !== null) throw invalid(unfit);
  return value;
}

function invalid(reason: string): MochiError {
  return new MochiError('validation_error', `The body ${reason}.`, {
    errors: [{ path: '/body', message: reason }],
  });
}
