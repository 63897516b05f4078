// Bodies: JSON in strict UTF-8, not nested without end. Everything else is a 4xx before a route sees it.
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { jsonFault } from '../kit/json-fault.ts';
import { parseLongJson } from '../kit/parse-long-json.ts';
import { inStretches, type Stretches } from '../kit/stretches.ts';
import { shapeFault } from './scan-json.ts';

export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => (body.length === 0 ? undefined : inStretches(parseJson(body))),
  );
}

/** @throws MochiError validation_error */
export function* parseJson(body: Buffer): Stretches<unknown> {
  const fault = yield* shapeFault(body);
  if (fault !== null) throw invalid(fault);
  let value: unknown;
  try {
    value = yield* parseLongJson(body);
  } catch (error) {
    throw invalid(error instanceof SyntaxError ? 'is not JSON' : 'is not UTF-8');
  }
  // The depth was looked at before; this key would change what holds it.
  const unfit = yield* jsonFault(value, { maxDepth: Number.POSITIVE_INFINITY, refusedKey: '__proto__' });
  if (unfit !== null) throw invalid(unfit);
  return value;
}

function invalid(reason: string): MochiError {
  return new MochiError('validation_error', `The body ${reason}.`, {
    errors: [{ path: '/body', message: reason }],
  });
}
