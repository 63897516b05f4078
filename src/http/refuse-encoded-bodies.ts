// Compressed bodies: refused by name, before anybody takes their bytes for text.
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';

export function refuseEncodedBodies(app: FastifyInstance): void {
  app.addHook('preParsing', async ({ method, headers }, reply) => {
    const encoding = headers['content-encoding']?.trim() ?? '';
    if (encoding === '' || encoding.toLowerCase() === 'identity' || method === 'GET' || method === 'HEAD')
      return;
    // RFC 9110 §15.5.16: what would be taken.
    void reply.header('accept-encoding', 'identity');
    throw new MochiError(
      'unsupported_media_type',
      `Bodies are taken as they are: send this one without content-encoding (${encoding.slice(0, 100)}).`,
    );
  });
}
