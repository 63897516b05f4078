// A session that a client of another API began without naming it is in no list, until somebody goes on with it by name.
import type { FastifyInstance } from 'fastify';
import { listSession } from '../store/sessions.ts';
import type { AppDeps } from './app-deps.ts';
import { sessionIdOf } from './params.ts';

/** A chat does so itself, as its turn begins. */
const WRITING = /^\/api\/v1\/sessions\/:session_id(\/|$)/;
const METHODS = ['POST', 'PUT', 'PATCH'];

/** Every route that writes to a session lists it for good. Call before the routes are registered. */
export function listWrittenSessions(app: FastifyInstance, { db }: Pick<AppDeps, 'db'>): void {
  app.addHook('onRoute', (route) => {
    const isWriting = [route.method].flat().some((method) => METHODS.includes(method));
    if (!WRITING.test(route.url) || !isWriting) return;
    route.preHandler = [
      ...[route.preHandler ?? []].flat(),
      async ({ params }: { readonly params: unknown }) => {
        // The address has one, see above.
        await listSession(db, sessionIdOf(params as { readonly session_id: string }));
      },
    ];
  });
}
