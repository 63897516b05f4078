// Bodies of JSON lines: for the route that imports, as bytes.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MochiError } from '../contract/errors.ts';
import { inStretches, type Stretches } from '../kit/stretches.ts';
import { shapeFault } from './scan-json.ts';

export const NDJSON = 'application/x-ndjson';
/** The only route that takes them; elsewhere they are of an unsupported type. */
export const IMPORT_PATH = '/api/v1/sessions/import';

const LINE_FEED = 0x0a;
/** Bytes of lines that are looked at before others have a turn. */
const STRETCH = 1024 ** 2;

export function readNdjsonBodies(app: FastifyInstance): void {
  app.addContentTypeParser(NDJSON, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (request.routeOptions.url !== IMPORT_PATH) {
      throw new MochiError(
        'unsupported_media_type',
        'Send the body as JSON, with content-type: application/json.',
      );
    }
    await inStretches(checkLines(body));
    return body;
  });
}

/** Each line is built by itself, and bounded as a body is, but for its depth: what was exported comes back. */
function* checkLines(body: Buffer): Stretches<void> {
  let start = 0;
  let rest = STRETCH;
  for (let line = 1; start < body.length; line += 1) {
    const found = body.indexOf(LINE_FEED, start);
    const end = found === -1 ? body.length : found;
    const fault = yield* shapeFault(body.subarray(start, end), Number.POSITIVE_INFINITY);
    if (fault !== null) {
      const message = `line ${line} ${fault}`;
      throw new MochiError('validation_error', `Nothing was imported: ${message}.`, {
        errors: [{ path: '/body', message }],
      });
    }
    start = end + 1;
    if (start > rest) {
      rest = start + STRETCH;
      yield;
    }
  }
}
