// A running server, as the commands talk to it.

import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import { ownCommand } from '../kit/own-command.ts';
import { readServerEvents, type ServerEvent } from './read-server-events.ts';

export interface ServerClient {
  readonly url: string;
  /** @throws ServerAnswerError for an error of the server, TypeError when it cannot be reached */
  call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** POST that answers as an event stream. */
  stream(path: string, body: unknown): Promise<AsyncGenerator<ServerEvent, void>>;
}

/** The server answered with an error; the message is its own. */
export class ServerAnswerError extends Error {
  override readonly name = 'ServerAnswerError';
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The server of this configuration, or the one at an address. Paths are those after /api/v1. */
export function connectServer(config: Config, address?: string): ServerClient {
  const url = (address ?? reachableUrl(config)).replace(/\/+$/, '');
  const [key] = config.apiKeys;
  const headers = {
    'content-type': 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };

  async function send(method: string, path: string, body: unknown): Promise<Response> {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    const { code, message, details } = Object(
      Object(Object(await response.json().catch(() => null)).detail).error,
    );
    throw new ServerAnswerError(
      String(code ?? response.status),
      String(message ?? response.statusText),
      Object(details),
    );
  }

  return {
    url,
    async call(method, path, body) {
      const response = await send(method, path, body);
      const text = await response.text();
      return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    },
    stream: async (path, body) => readServerEvents(await send('POST', path, body)),
  };
}

/** Where a server with this configuration is reached from its own machine. */
export function reachableUrl({ host, port }: Pick<Config, 'host' | 'port'>): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** What starts a server where this configuration looks for one. */
export function serveCommand({ port, dataDir }: Config): string {
  const flags = [
    ...(port === settings.port.default ? [] : [`--port ${port}`]),
    ...(dataDir === process.cwd() ? [] : [`--data-dir ${quoted(dataDir)}`]),
  ];
  return ownCommand(flags.length === 0 ? '' : ['serve', ...flags].join(' '));
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
