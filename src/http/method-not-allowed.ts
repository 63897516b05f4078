// A known path says which methods it has: to OPTIONS, and with 405 to every other method.
import { METHODS as NODE_METHODS } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { MochiError } from '../contract/errors.ts';

/** All that Node reads, but those with an answer of their own: a preflight, and a tunnel that has no path. */
const METHODS = NODE_METHODS.filter((method) => method !== 'OPTIONS' && method !== 'CONNECT');

/** Call before the routes are registered, and the returned function after them. */
export function refuseOtherMethods(app: FastifyInstance): () => void {
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  }
  const methodsByUrl = new Map<string, Set<string>>();
  let isRecording = true;
  app.addHook('onRoute', ({ url, method }) => {
    if (!isRecording) return;
    const methods = methodsByUrl.get(url) ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    methodsByUrl.set(url, methods);
  });
  return () => {
    isRecording = false;
    for (const [url, methods] of methodsByUrl) {
      const others = METHODS.filter((method) => !methods.has(method));
      if (url.includes('*') && !url.startsWith('/api/')) continue;
      if (others.length === 0) continue;
      const allow = [...methods].join(', ');
      // Preflights of allowed origins were answered before.
      app.options(url, { schema: { hide: true } }, async (_request, reply) =>
        reply.header('allow', `${allow}, OPTIONS`).code(204).send(),
      );
      app.route({
        method: [...others],
        url,
        schema: { hide: true },
        // Before the body is read: whatever is wrong with it, the method comes first.
        onRequest: async (request, reply) => {
          void reply.header('allow', allow);
          throw new MochiError(
            'method_not_allowed',
            `${request.method} is not possible here. Use ${allow}.`,
            {
              method: request.method,
            },
          );
        },
        handler: () => undefined,
      });
    }
  };
}
