// The first line of a request: the versions that are spoken here, and no host but the one that was checked.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MochiError } from '../contract/errors.ts';

const VERSIONS = new Set(['1.0', '1.1']);
/** An address may be written whole, as to a proxy. */
const WHOLE_ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i;

export function checkRequestLine(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!VERSIONS.has(request.raw.httpVersion)) {
      void reply.header('connection', 'close');
      throw new MochiError('bad_request', 'This server speaks HTTP/1.1 (and HTTP/1.0).');
    }
    const named = WHOLE_ADDRESS.exec(request.originalUrl)?.[1];
    if (named === undefined || isHost(named, request)) return;
    throw new MochiError(
      'host_not_allowed',
      'The address in the first line names another host than the Host header. Send the path alone.',
      { host: named.slice(0, 200) },
    );
  });
}

function isHost(named: string, { headers }: FastifyRequest): boolean {
  const [asked, given] = [normalized(named), normalized(headers.host ?? '')];
  return asked !== null && asked === given;
}

/** Lower case, without the default port; null for what is no host, or more than one. */
function normalized(host: string): string | null {
  if (host.includes('@')) return null;
  try {
    return new URL(`http://${host}`).host;
  } catch {
    return null;
  }
}
