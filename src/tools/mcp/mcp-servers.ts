// The MCP servers of the operator's file: kept over a reload where nothing about them has changed.
import type { McpServer as McpServerInfo } from '../../contract/mcp.ts';
import type { Keeper } from '../groups/keeper.ts';
import type { ToolSource } from '../tool.ts';
import { type LaunchSurroundings, planLaunch } from './launch.ts';
import { type McpServerConfig, readMcpConfig } from './mcp-config.ts';
import { McpServer } from './mcp-server.ts';

export interface McpServers {
  /** Read anew; `discover` goes by it. @throws ToolConfigError */
  read(): Promise<void>;
  /** @param onChange told whenever one of them has other tools */
  discover(onChange: (source: ToolSource) => void): readonly ToolSource[];
  list(): readonly McpServerInfo[];
  /** Starts it anew and waits for that. @returns null: there is none of this name */
  restart(name: string): Promise<McpServerInfo | null>;
}

export interface McpOptions extends LaunchSurroundings {
  /** Absolute. */
  readonly path: string;
  /** Where it was not named by anybody, there need not be one. */
  readonly mayBeMissing: boolean;
  readonly keeper: Keeper;
  readonly version: string;
  readonly maxOutputBytes: number;
  /** Of the delays before a restart. */
  readonly restartScale?: number;
  /** After so long a rest a connection of the older protocol is tried before it is used. Milliseconds. */
  readonly restMs?: number;
}

/** Servers that start at the same time. */
const STARTS_AT_ONCE = 4;

interface Known {
  /** Everything that it was made from. */
  readonly key: string;
  readonly server: McpServer;
}

export function createMcpServers(options: McpOptions): McpServers {
  let configs: readonly McpServerConfig[] = [];
  let known = new Map<string, Known>();
  let tell: (source: ToolSource) => void = () => undefined;
  const deps = {
    keeper: options.keeper,
    version: options.version,
    maxOutputBytes: options.maxOutputBytes,
    restartScale: options.restartScale ?? 1,
    restMs: options.restMs ?? 60_000,
    inLine: createLine(STARTS_AT_ONCE),
    onChange: (source: ToolSource) => tell(source),
  };

  function keepOrMake(config: McpServerConfig): Known {
    const plan = planLaunch(config, options);
    const key = JSON.stringify([config, plan.launch, plan.fault]);
    const before = known.get(config.name);
    if (before?.key === key && !before.server.hasFailed) return before;
    return { key, server: new McpServer(config, plan, deps) };
  }

  return {
    async read() {
      configs = await readMcpConfig(options.path, options.mayBeMissing);
    },
    discover(onChange) {
      tell = onChange;
      known = new Map(configs.map((config) => [config.name, keepOrMake(config)]));
      return [...known.values()].map(({ server }) => server);
    },
    list: () => [...known.values()].map(({ server }) => server.info),
    async restart(name) {
      const server = known.get(name)?.server;
      await server?.restart();
      return server?.info ?? null;
    },
  };
}

/** Runs so many at once, the rest in the order in which they came. */
function createLine(places: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
