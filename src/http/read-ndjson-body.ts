// Bodies of JSON lines: for the route that imports, as bytes.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MochiError } from '../contract/errors.ts';

export const NDJSON = 'application/x-ndjson';
/** The only route that takes them; elsewhere they are of an unsupported type. */
export const IMPORT_PATH = '/api/v1/sessions/import';

export function readNdjsonBodies(app: FastifyInstance): void {
  app.addContentTypeParser(NDJSON, { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (request.routeOptions.url === IMPORT_PATH) return body;
    throw new MochiError(
      'unsupported_media_type',
      'Send the body as JSON, with content-type: application/json.',
    );
  });
}
