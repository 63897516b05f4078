// From a server that is known to one that answers: transport, greeting, list of tools. The SDK is read when the first needs it.
import type { Client, Tool, Transport, VersionNegotiationMode } from '@modelcontextprotocol/client';
import type { Keeper } from '../groups/keeper.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { watchAnswers } from './cut-answers.ts';
import { type Asker, answerElicitation } from './elicitation.ts';
import type { McpLaunch } from './launch.ts';
import type { McpServerConfig } from './mcp-config.ts';
import { isRefusal, McpFault, statusOf, wordsOf } from './mcp-faults.ts';
import { StdioTransport } from './stdio-transport.ts';

export interface McpConnection {
  readonly client: Client;
  readonly tools: readonly Tool[];
  /** Of a process only: resolves with how, when it is gone. Never rejects. */
  readonly ended: Promise<string> | null;
  /** Its calls under way. */
  readonly askers: Set<Asker>;
  /** Whether a session of the other side is named with each request. */
  readonly hasSession: () => boolean;
  readonly stderrTail: () => string;
  /** The process is ended at once, and `ended` says why; a connection over HTTP is closed. */
  readonly abandon: (reason: string) => void;
  readonly close: () => Promise<void>;
}

export interface ConnectDeps {
  readonly keeper: Keeper;
  readonly version: string;
  /** The attempt is given up. */
  readonly signal: AbortSignal;
  readonly onToolsChanged: () => void;
  /** Called before the greeting, so that what it says is there when it fails. */
  readonly onTransport: (stderrTail: () => string) => void;
}

const MODERN = '2026-07-28';
/** The end of what we ask while we leave. Milliseconds. */
const CLOSE_LIMIT_MS = 1000;
/** Between the end of a pipe and that of its process. Milliseconds. */
const EXIT_LIMIT_MS = 1000;

/** @throws McpFault; then nothing of it is left */
export async function connect(
  config: McpServerConfig,
  launch: McpLaunch,
  deps: ConnectDeps,
): Promise<McpConnection> {
  const [first, second] = modesOf(config);
  try {
    return await open(first, config, launch, deps);
  } catch (error) {
    // A server of the newer protocol alone does not know the older greeting.
    if (second === undefined || !(error instanceof McpFault && isRefusal(error.cause))) throw error;
    return await open(second, config, launch, deps).catch(() => {
      // What it said first is what it meant.
      throw error;
    });
  }
}

/** How to negotiate, and how once more where that is refused. */
function modesOf({
  transport,
  protocol,
}: McpServerConfig): readonly [VersionNegotiationMode, VersionNegotiationMode?] {
  if (protocol === '2026') return [{ pin: MODERN }];
  if (protocol === '2025' || transport === 'sse') return ['legacy'];
  return transport === 'http' ? ['auto'] : ['legacy', { pin: MODERN }];
}

async function open(
  mode: VersionNegotiationMode,
  config: McpServerConfig,
  launch: McpLaunch,
  deps: ConnectDeps,
): Promise<McpConnection> {
  const sdk = await import('@modelcontextprotocol/client');
  const process =
    launch.url === null
      ? new StdioTransport(launch, { keeper: deps.keeper, parse: sdk.deserializeMessage })
      : null;
  const transport: Transport = process ?? (await openHttp(config, launch));
  deps.onTransport(() => process?.stderrTail ?? '');
  const askers = new Set<Asker>();
  const client = createClient(sdk.Client, mode, deps);
  client.setRequestHandler('elicitation/create', ({ params }, { mcpReq }) =>
    answerElicitation({ server: config.name, askers }, params, mcpReq.signal),
  );
  const close = () => closeAll(client, transport);
  const limit = config.startupTimeoutMs;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new McpFault('broken', `it was not ready within ${limit / 1000} s`));
  }, limit);
  const leave = () => reject(new McpFault('broken', 'it is not wanted any more'));
  if (deps.signal.aborted) leave();
  deps.signal.addEventListener('abort', leave, { once: true });
  try {
    const ready = async () => {
      await client.connect(transport, { timeout: limit });
      return listTools(client, limit);
    };
    const tools = await Promise.race([ready(), late]);
    // The SDK would open its stream again by itself, to a server that was never greeted and answers nothing.
    if (config.transport === 'sse') Object.assign(client, { onerror: () => void close() });
    return {
      client,
      tools,
      askers,
      ended: process?.ended ?? null,
      hasSession: () => transport.sessionId !== undefined,
      stderrTail: () => process?.stderrTail ?? '',
      abandon: (reason) => (process === null ? void close() : process.kill(reason)),
      close,
    };
  } catch (error) {
    const fault = await faultOf(error, process);
    await close();
    throw fault;
  } finally {
    clearTimeout(timer);
    deps.signal.removeEventListener('abort', leave);
  }
}

/** All pages. Asked anew each time. */
export async function listTools(client: Client, timeoutMs: number): Promise<readonly Tool[]> {
  if (client.getServerCapabilities()?.tools === undefined) return [];
  const { tools } = await client.listTools(undefined, { timeout: timeoutMs, cacheMode: 'refresh' });
  return tools;
}

function createClient(make: typeof Client, mode: VersionNegotiationMode, deps: ConnectDeps): Client {
  return new make(
    { name: 'mochi-server', version: deps.version },
    {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode },
      inputRequired: { autoFulfill: false },
      listChanged: { tools: { autoRefresh: false, onChanged: deps.onToolsChanged } },
    },
  );
}

async function openHttp({ transport }: McpServerConfig, { url, headers }: McpLaunch): Promise<Transport> {
  const { SSEClientTransport, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  if (url === null) throw new McpFault('broken', 'it has no address');
  const options = { requestInit: { headers: { ...headers } }, fetch: boundedFetch };
  return transport === 'sse'
    ? new SSEClientTransport(url, options)
    : watchAnswers(new StreamableHTTPClientTransport(url, options));
}

async function faultOf(error: unknown, process: StdioTransport | null): Promise<McpFault> {
  if (error instanceof McpFault) return error;
  const status = statusOf(error);
  if (status === 401 || status === 403) {
    return new McpFault('auth', `it wants to know who we are (HTTP ${status}): give it "headers"`, {
      cause: error,
    });
  }
  // A pipe may break before the end of the process is known.
  const how = process === null || isRefusal(error) ? null : await within(process.ended, EXIT_LIMIT_MS);
  if (how !== null) return new McpFault('ended', `its process ended (${how})`, { cause: error });
  return new McpFault('broken', wordsOf(error), { cause: error });
}

async function closeAll(client: Client, transport: Transport): Promise<void> {
  if ('terminateSession' in transport && typeof transport.terminateSession === 'function') {
    // Its session holds memory over there; where nobody listens any more, nobody waits.
    await within(
      Promise.resolve(transport.terminateSession()).catch(() => undefined),
      CLOSE_LIMIT_MS,
    );
  }
  await client.close().catch(() => undefined);
  await transport.close().catch(() => undefined);
}

/** @returns null: it took too long */
async function within<T>(waited: Promise<T>, limitMs: number): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(resolve, limitMs, null);
  const first = await Promise.race([waited, late]);
  clearTimeout(timer);
  return first;
}
