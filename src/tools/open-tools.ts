// The tools of a server, from what its operator says: where the sources are made, and which rules bind them.
import { join } from 'node:path';
import type { ReadOutput } from './builtin/read-tool-output.ts';
import { openShippedTools } from './builtin/shipped-tools.ts';
import { discoverGroups, type GroupOptions } from './groups/discover-groups.ts';
import type { Environment } from './groups/environment.ts';
import { startKeeper } from './groups/keeper.ts';
import { createWorkerPool } from './groups/worker-pool.ts';
import { MCP_FILE } from './mcp/mcp-config.ts';
import { createMcpServers, type McpServers } from './mcp/mcp-servers.ts';
import { readToolPolicy } from './policy/tool-policy.ts';
import type { ToolSource } from './tool.ts';
import { createTools, type Tools } from './tools.ts';

/** As the configuration has them. */
export interface ToolsOptions {
  /** Ours: servers are told who calls. */
  readonly version: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly toolsDir: string;
  /** Absolute. */
  readonly toolPolicy: string;
  /** Absolute. */
  readonly mcpConfig: string;
  /** Absolute. */
  readonly agentsDir: string;
  /** Absolute. */
  readonly sessionsDir: string;
  /** Absolute. */
  readonly systemPromptsDir: string;
  readonly builtinTools: readonly string[];
  /** Absolute; null: none. */
  readonly filesDir: string | null;
  readonly fetchAllow: readonly string[];
  /** Characters of a result that a model reads. */
  readonly toolResultChars: number;
  /** Of the sessions; missing: there are none. */
  readonly readOutput?: ReadOutput;
  readonly python: string;
  readonly toolEnv: readonly string[];
  readonly toolTimeoutSeconds: number;
  readonly toolMaxOutputBytes: number;
  readonly toolMemoryMb: number;
  readonly maxToolProcesses: number;
}

export interface OpenTools extends Tools {
  /** What groups are started with, in the one pool there is. */
  readonly groups: GroupOptions;
  readonly mcpServers: McpServers;
}

/** Where rules are looked for when nothing else is said: only there they may be missing. */
const USUAL_POLICY_FILE = 'tool-policy.json';

/**
 * Nothing is looked for yet, and no process is started.
 * @param environment of the server; tools see a short list of it
 * @param sources besides those that are found; closed with the tools
 * @throws ToolConfigError when the operator's files cannot be used
 */
export async function openTools(
  options: ToolsOptions,
  environment: Environment,
  sources: readonly ToolSource[] = [],
): Promise<OpenTools> {
  const { dataDir, toolsDir, toolPolicy: path } = options;
  const { mcpConfig, agentsDir, sessionsDir, systemPromptsDir } = options;
  const ownPaths = [toolsDir, path, mcpConfig, agentsDir, sessionsDir, systemPromptsDir];
  const shipped = await openShippedTools({ ...options, ownPaths });
  const keeper = startKeeper();
  const pool = createWorkerPool({ keeper, maxProcesses: options.maxToolProcesses });
  const groups = {
    pool,
    python: options.python,
    workingFolder: dataDir,
    environment,
    environmentNames: options.toolEnv,
    timeoutMs: options.toolTimeoutSeconds * 1000,
    memoryMb: options.toolMemoryMb,
    maxOutputBytes: options.toolMaxOutputBytes,
  };
  const mcpServers = createMcpServers({
    path: options.mcpConfig,
    mayBeMissing: options.mcpConfig === join(dataDir, MCP_FILE),
    keeper,
    version: options.version,
    environment,
    environmentNames: options.toolEnv,
    workingFolder: dataDir,
    maxOutputBytes: options.toolMaxOutputBytes,
  });
  const tools = await createTools({
    discover: async (changed) => [
      ...discoverGroups(toolsDir, groups),
      ...mcpServers.discover(changed),
      ...shipped,
      ...sources,
    ],
    async readPolicy() {
      const policy = await readToolPolicy({ path, mayBeMissing: path === join(dataDir, USUAL_POLICY_FILE) });
      await mcpServers.read();
      return policy;
    },
  });
  return {
    ...tools,
    groups,
    mcpServers,
    async close() {
      // A source waits for its calls; at the end nobody does.
      await pool.close();
      await tools.close();
      await keeper.close();
    },
  };
}
