// The HTTP application: what it is, apart from whether it listens.
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { DialectName, ModelAlias } from '../dialects/dialect.ts';
import { dialectsOf } from '../dialects/dialects.ts';
import { randomHex } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import { type AccessRules, guardAccess } from './access.ts';
import { guardAgentChats } from './agent-chat-guard.ts';
import type { AppDeps } from './app-deps.ts';
import { createHttpServer } from './connections/http-server.ts';
import { answerErrors, errorAnswers, errorTeller, pathOf } from './error-response.ts';
import { listWrittenSessions } from './list-written-sessions.ts';
import { knowPaths } from './method-not-allowed.ts';
import { pageRoutes } from './pages/page-routes.ts';
import { readJsonBodies } from './read-json-body.ts';
import { readNdjsonBodies } from './read-ndjson-body.ts';
import { refuseEncodedBodies } from './refuse-encoded-bodies.ts';
import { checkRequestLine } from './request-line.ts';
import { agentChatRoutes } from './routes/agent-chats.ts';
import { agentRunRoutes } from './routes/agent-runs.ts';
import { agentRoutes } from './routes/agents.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { branchRoutes } from './routes/branches.ts';
import { chatRoutes } from './routes/chat.ts';
import { mountDialects } from './routes/dialects.ts';
import { eventRoutes } from './routes/events.ts';
import { executionRoutes } from './routes/executions.ts';
import { grantRoutes } from './routes/grants.ts';
import { healthRoutes } from './routes/health.ts';
import { imageRoutes } from './routes/images.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { messageRoutes } from './routes/messages.ts';
import { modelRoutes } from './routes/models.ts';
import { peerRoutes } from './routes/peer.ts';
import { searchRoutes } from './routes/search.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { summaryRoutes } from './routes/summaries.ts';
import { systemPromptRoutes } from './routes/system-prompts.ts';
import { toolRoutes } from './routes/tools.ts';
import { transferRoutes } from './routes/transfer.ts';
import { turnRoutes } from './routes/turns.ts';
import { NO_COMPILERS, validateBySchema } from './validation.ts';

export interface AppOptions {
  readonly access: AccessRules;
  readonly maxBodyBytes: number;
  /** For a request to arrive, its body included. */
  readonly requestTimeoutMs: number;
  /** Whether there is a page to chat on. */
  readonly webEnabled: boolean;
  /** APIs of other programs that are answered. */
  readonly dialects: readonly DialectName[];
  readonly modelAliases: readonly ModelAlias[];
  readonly unlistedDays: number;
  readonly log: Log;
}

const ROUTES = [
  healthRoutes,
  modelRoutes,
  sessionRoutes,
  messageRoutes,
  imageRoutes,
  branchRoutes,
  summaryRoutes,
  systemPromptRoutes,
  transferRoutes,
  toolRoutes,
  executionRoutes,
  mcpRoutes,
  approvalRoutes,
  grantRoutes,
  agentRoutes,
  chatRoutes,
  turnRoutes,
  eventRoutes,
  searchRoutes,
  agentChatRoutes,
  agentRunRoutes,
  peerRoutes,
];

/** Longer than any request line that Node lets through, so that an id of any length reaches its route. */
const MAX_PARAM_LENGTH = 32 * 1024;

export async function createApp(deps: AppDeps, options: AppOptions): Promise<FastifyInstance> {
  const dialects = dialectsOf(options.dialects);
  const answerError = errorAnswers(dialects);
  // Typed as the framework wants it: its instance would carry pino's types into every room otherwise.
  const loggerInstance: FastifyBaseLogger = options.log;
  const app = Fastify({
    loggerInstance,
    // One line per request, our own, below.
    logController: new LogController({ disableRequestLogging: true }),
    // One of its own would be made for each request, and held as long as its stream: what is logged names the request.
    childLoggerFactory: (logger) => logger,
    bodyLimit: options.maxBodyBytes,
    schemaController: { compilersFactory: NO_COMPILERS },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    rewriteUrl: hideUndecodable,
    serverFactory: (handler) =>
      createHttpServer(handler, { requestTimeoutMs: options.requestTimeoutMs, tell: errorTeller(dialects) }),
    genReqId: ({ headers }) => saneRequestId(headers['x-request-id']) ?? randomHex(16),
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // The server has its own.
    clientErrorHandler: () => undefined,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>();

  answerErrors(app, answerError);
  refuseEncodedBodies(app);
  readJsonBodies(app);
  readNdjsonBodies(app);
  validateBySchema(app);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        request_id: request.id,
        method: request.method,
        path: pathOf(request.url),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
  });
  checkRequestLine(app);
  const paths = knowPaths(app, { maxParamLength: MAX_PARAM_LENGTH });
  await guardAccess(app, options.access, { ...paths, tokens: deps.streamTokens });
  paths.refuseOthers();
  const { webEnabled } = options;
  const speaksOllama = options.dialects.includes('ollama');
  pageRoutes(app, { version: deps.version, webEnabled, speaksOllama });
  guardAgentChats(app, deps);
  listWrittenSessions(app, deps);
  for (const addRoutes of ROUTES) addRoutes(app, deps);
  const { modelAliases, unlistedDays, access } = options;
  const hasKeys = access.apiKeys.length > 0;
  await mountDialects(app, { ...deps, modelAliases, unlistedDays }, { dialects, hasKeys });
  await app.ready();
  return app;
}

/** An address that cannot be decoded takes the usual way to a 404, through every check, and not one of its own. */
function hideUndecodable({ url = '/' }: { readonly url?: string | undefined }): string {
  try {
    decodeURIComponent(pathOf(url));
    return TARGET.test(url) ? url : UNDECODABLE;
  } catch {
    return UNDECODABLE;
  }
}

const UNDECODABLE = '/undecodable';
/** A path, or a whole address with a host in it. */
const TARGET = /^(?:\/|[a-z][a-z0-9+.-]*:\/\/[^/?#])/i;
/** A client's own id is taken when it is short and plain: it ends up in logs. */
function saneRequestId(given: string | string[] | undefined): string | null {
  return typeof given === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : null;
}
