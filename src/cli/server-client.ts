// A running server, as the commands talk to it.

import { createMochi, type Mochi, type MochiOptions } from '../client/index.ts';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import { ownCommand, quoted } from '../kit/own-command.ts';

/** The server of this configuration, or the one at an address. */
export function connectServer(config: Config, address?: string, options: MochiOptions = {}): Mochi {
  const [apiKey] = config.apiKeys;
  return createMochi({
    baseUrl: address ?? reachableUrl(config),
    ...(apiKey !== undefined && { apiKey }),
    ...options,
  });
}

/** For commands that do without a server where none runs: asked once. */
export const ASKED_ONCE: MochiOptions = { retry: { tries: 1 } };

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
