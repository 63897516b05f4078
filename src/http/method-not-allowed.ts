// A known path says which methods it has: to OPTIONS, and with 405 to every other method.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import findMyWay from 'find-my-way';
import { MochiError } from '../contract/errors.ts';
import { notFound } from './error-response.ts';

/** A path as it was registered, and the methods that it has. */
interface KnownPath {
  readonly url: string;
  readonly methods: Set<string>;
}

export interface KnownPaths {
  /** The path of a request as it was registered, whatever the method; null: there is none. */
  urlOf(request: FastifyRequest): string | null;
  /** Answers what no route answers: before the body is read, since whatever is wrong with it, the address comes first. */
  refuseOthers(): void;
}

/** Beside the framework's router, one for all methods: a route for each method of each path would take megabytes. */
export function knowPaths(app: FastifyInstance, options: { readonly maxParamLength: number }): KnownPaths {
  const router = findMyWay({ ...options, ignoreTrailingSlash: true });
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    // Of preflights.
    if (url === '*') return;
    const path = paths.get(url) ?? addPath(url);
    for (const name of [method].flat()) path.methods.add(name);
  });

  function addPath(url: string): KnownPath {
    const path = { url, methods: new Set<string>() };
    paths.set(url, path);
    router.on('GET', url, () => undefined, path);
    return path;
  }

  function find({ raw }: FastifyRequest): KnownPath | null {
    const found = router.find('GET', raw.url ?? '/');
    return found === null ? null : (found.store as KnownPath);
  }

  return {
    urlOf: (request) => request.routeOptions.url ?? find(request)?.url ?? null,
    refuseOthers() {
      app.addHook('onRequest', async (request, reply) => {
        const path = find(request);
        // With another one, a path of its own is meant and not the id that it could be, too.
        const isAnswered = path !== null && path.url === request.routeOptions.url;
        return isAnswered ? undefined : refuse(request, reply, path);
      });
    },
  };
}

function refuse(request: FastifyRequest, reply: FastifyReply, path: KnownPath | null): FastifyReply {
  if (path === null) throw notFound(request);
  const allow = [...path.methods].join(', ');
  // Preflights of allowed origins were answered before.
  if (request.method === 'OPTIONS') {
    return reply.header('allow', `${allow}, OPTIONS`).code(204).send();
  }
  void reply.header('allow', allow);
  const { method } = request;
  throw new MochiError('method_not_allowed', `${method} is not possible here. Use ${allow}.`, { method });
}
