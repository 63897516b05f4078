// The APIs of other programs, mounted: paths, keys, heads, pauses and readers that leave, once for all of them.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {
  Dialect,
  DialectAnswer,
  DialectDeps,
  DialectRoute,
  TurnAnswer,
} from '../../dialects/dialect.ts';
import { inStretches } from '../../kit/stretches.ts';
import type { App } from '../app-deps.ts';
import { bodyOf, describeRoute } from '../dialects/describe-route.ts';
import { markOf, RepeatedRequests } from '../dialects/repeated-requests.ts';
import { onDisconnectOf, requestOf } from '../dialects/request-of.ts';
import { sendLines } from '../dialects/send-lines.ts';
import { sendStream } from '../dialects/send-stream.ts';
import { sendWhole } from '../dialects/send-whole.ts';
import { leftSignal } from '../open-stream.ts';
import { parseJson } from '../read-json-body.ts';

interface DialectHouse {
  readonly deps: DialectDeps;
  readonly repeated: RepeatedRequests;
  /** Whether requests need a key. */
  readonly hasKeys: boolean;
}

export async function mountDialects(
  app: App,
  deps: DialectDeps,
  { dialects, hasKeys }: { readonly dialects: readonly Dialect[]; readonly hasKeys: boolean },
): Promise<void> {
  const house = { deps, hasKeys, repeated: new RepeatedRequests() };
  const all = dialects.flatMap((dialect) => dialect.routes.map((route) => ({ dialect, route })));
  await app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    // Whatever it is called, and where it is not called anything.
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
      body.length === 0 ? undefined : inStretches(parseJson(body)),
    );
    for (const { dialect, route } of all) if (route.body !== 'bytes') addRoute(scope, house, dialect, route);
  });
  await app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    for (const { dialect, route } of all) if (route.body === 'bytes') addRoute(scope, house, dialect, route);
  });
}

function addRoute(app: App, house: DialectHouse, dialect: Dialect, route: DialectRoute): void {
  const handler = (request: FastifyRequest, reply: FastifyReply) => answer(house, route, request, reply);
  const { method, path } = route;
  // A HEAD would watch a whole turn to say nothing.
  const exposeHeadRoute = route.answer !== 'text/event-stream';
  app.route({ method, url: path, exposeHeadRoute, schema: describeRoute(dialect, route), handler });
  if (!dialect.namesSessions) return;
  // The same once more: described with the dialect.
  const schema = { ...bodyOf(route), hide: true };
  app.route({ method, url: `/s/:session${path}`, exposeHeadRoute, schema, handler });
}

async function answer(
  house: DialectHouse,
  route: DialectRoute,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { deps, repeated } = house;
  const asked = requestOf(request, leftSignal(reply), house.hasKeys);
  if (!route.isTurn) {
    return send(await route.handle(deps, { ...asked, joined: null }), request, reply);
  }
  const mark = markOf(request, `${route.method} ${route.path}`, asked);
  const earlier = await repeated.find(mark);
  const joined = earlier === null ? null : await deps.turns.open(earlier);
  const handled = route.handle(deps, { ...asked, joined });
  if (joined === null) repeated.note(mark, handled.then(storedTurnOf));
  return send(await handled, request, reply);
}

function storedTurnOf(answered: DialectAnswer): string | null {
  return answered.as === 'turn' && answered.isStored ? answered.turn.turnId : null;
}

async function send(answered: DialectAnswer, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  switch (answered.as) {
    case 'json':
      return reply
        .code(answered.status ?? 200)
        .headers(answered.headers ?? {})
        .type('application/json; charset=utf-8')
        .send(answered.body);
    case 'text':
      return reply
        .code(answered.status ?? 200)
        .type('text/plain; charset=utf-8')
        .send(answered.body);
    case 'lines':
      await sendLines(reply, answered);
      return reply;
    case 'bytes':
      if (answered.contentType !== null) void reply.type(answered.contentType);
      return reply.code(answered.status).send(Readable.from(answered.body));
    case 'turn':
      return sendTurn(answered, request, reply);
    default:
      return answered satisfies never;
  }
}

async function sendTurn(
  answered: TurnAnswer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { told, isStored } = answered;
  const isWhole = told.how === 'whole';
  const usual = answered.onDisconnect ?? (isWhole ? 'continue' : 'cancel');
  const policy = isStored ? (onDisconnectOf(request) ?? usual) : 'cancel';
  if (told.how === 'whole') return sendWhole(reply, answered, told, policy);
  await sendStream(reply, answered, told, policy);
  return reply;
}
