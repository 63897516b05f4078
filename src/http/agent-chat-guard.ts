// What an agent works in is the agent's: clients read it like any session, and change nothing in it.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sessionNotFound } from '../sessions/require.ts';
import { isAgentChat } from '../store/list-sessions.ts';
import type { AppDeps } from './app-deps.ts';
import { sessionIdOf } from './params.ts';

/** But for what answers a person: of a run that a client started, the person is in its chat. */
const OF_A_SESSION = /^\/api\/v1\/(sessions|chat)\/:session_id(?!\/confirm-tool$)(\/|$)/;
/** They read the session themselves, and say so; but a key of a repeated request is looked for first. */
const STARTS = /^\/api\/v1\/chat\/:session_id(\/stream)?$/;
const CHANGING = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** Every route that changes a session says of an agent chat that there is none. Call before the routes are registered. */
export function guardAgentChats(app: FastifyInstance, { db }: Pick<AppDeps, 'db'>): void {
  app.addHook('onRoute', (route) => {
    const isChanging = [route.method].flat().some((method) => CHANGING.includes(method));
    if (!OF_A_SESSION.test(route.url) || !isChanging) return;
    route.preHandler = [
      ...[route.preHandler ?? []].flat(),
      async ({ params, headers }: Pick<FastifyRequest, 'params' | 'headers'>) => {
        if (STARTS.test(route.url) && headers['idempotency-key'] === undefined) return;
        // The address has one, see above.
        const sessionId = sessionIdOf(params as { readonly session_id: string });
        if (await isAgentChat(db, sessionId)) throw sessionNotFound(sessionId);
      },
    ];
  });
}
