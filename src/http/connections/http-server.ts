// Node's HTTP server with bounds: on time, on requests under way, on answers that nobody reads.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerClientError, refuseConnect, refuseExpectation } from '../client-error.ts';
import type { TellError } from '../error-response.ts';
import { Connection } from './connection.ts';
import { UnsentAnswers } from './unsent-answers.ts';

/** Not imported: for an import all of it is loaded, fetch and web sockets too, which take 14 MB and are not ours. */
const { createServer } = process.getBuiltinModule('node:http');

/** For the header fields alone. */
const MAX_HEADERS_MS = 60_000;
/** Longer than proxies keep theirs: the one that closes should be the one that asks. */
const KEEP_ALIVE_MS = 72_000;
/** What may wait for clients that do not read, over all connections. */
const MAX_UNSENT_BYTES = 256 * 1024 ** 2;

/**
 * @param limits `requestTimeoutMs`: for a request to arrive, its body included; `tell`: what is said of one that cannot
 *   be read
 */
export function createHttpServer(
  handle: RequestListener,
  { requestTimeoutMs, tell }: { readonly requestTimeoutMs: number; readonly tell: TellError },
): Server {
  const headersTimeout = Math.min(requestTimeoutMs, MAX_HEADERS_MS);
  const server = createServer(
    {
      // Ours to refuse: Node's own refusal has no body.
      requireHostHeader: false,
      requestTimeout: requestTimeoutMs,
      headersTimeout,
      connectionsCheckingInterval: headersTimeout / 4,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    handle,
  );
  // A client that has said all it wants to may still wait for its answer. Node knows this as a property only.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('clientError', (error, socket: Socket) => answerClientError(tell, error, socket));
  server.on('checkExpectation', (request, response) => refuseExpectation(tell, request, response));
  server.on('connect', (_request, socket) => refuseConnect(tell, socket));
  const connections = new WeakMap<Socket, Connection>();
  const unsent = new UnsentAnswers(MAX_UNSENT_BYTES);
  server.on('connection', (socket: Socket) => connections.set(socket, new Connection(socket)));
  const begin = (request: IncomingMessage, answer: ServerResponse) => {
    const connection = connections.get(request.socket);
    connection?.begin(request, answer);
    if (connection !== undefined) unsent.follow(connection, answer, request.socket);
  };
  // Before the request is handled: that may take no time at all.
  for (const event of ['request', 'checkExpectation']) server.prependListener(event, begin);
  return server;
}
