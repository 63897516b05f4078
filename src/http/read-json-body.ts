// Bodies: JSON in strict UTF-8, not nested without end. Everything else is a 4xx before a route sees it.
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { jsonFault } from '../kit/json-fault.ts';
import { inStretches, type Stretches } from '../kit/stretches.ts';
import { shapeFault } from './scan-json.ts';

/** Bytes of a body that takes milliseconds. */
const LONG = 1024 ** 2;

export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => (body.length === 0 ? undefined : inStretches(parseJson(body))),
  );
}

/** JSON.parse alone cannot rest: about two milliseconds a megabyte. @throws MochiError validation_error */
export function* parseJson(body: Buffer): Stretches<unknown> {
  const fault = yield* shapeFault(body);
  if (fault !== null) throw invalid(fault);
  const isLong = body.length > LONG;
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    if (isLong) yield;
    value = JSON.parse(text);
    if (isLong) yield;
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
