// MCP servers of a folder with a `mcp.json`, without a chat server around them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startKeeper } from '../../src/tools/groups/keeper.ts';
import { createMcpServers, type McpServers } from '../../src/tools/mcp/mcp-servers.ts';
import { NO_POLICY } from '../../src/tools/policy/tool-policy.ts';
import type { ToolOutcome, ToolRunContext } from '../../src/tools/tool.ts';
import { createTools, type Tools } from '../../src/tools/tools.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface McpWorld {
  readonly folder: string;
  readonly tools: Tools;
  readonly servers: McpServers;
  write(servers: Readonly<Record<string, object>>): void;
  run(name: string, args?: object, context?: Partial<ToolRunContext>): Promise<ToolOutcome>;
  close(): Promise<void>;
}

/** What runs a server of npm's, by the name of its package and the file of its start. */
export function packaged(name: string, ...args: readonly string[]): object {
  const file = join(root, 'node_modules/@modelcontextprotocol', name, 'dist/index.js');
  return { command: process.execPath, args: [file, ...args] };
}

/** One of ours. */
export function own(file: string, ...args: readonly string[]): object {
  return { command: process.execPath, args: [join(root, 'test/fixtures/mcp', file), ...args] };
}

export async function openMcpWorld(
  make: (folder: string) => Readonly<Record<string, object>>,
  environment: Readonly<Record<string, string>> = {},
  options: { readonly restMs?: number } = {},
): Promise<McpWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-mcp-'));
  const path = join(folder, 'mcp.json');
  const write = (servers: Readonly<Record<string, object>>) =>
    writeFileSync(path, JSON.stringify({ mcpServers: servers }));
  write(make(folder));
  const keeper = startKeeper();
  const servers = createMcpServers({
    path,
    mayBeMissing: false,
    keeper,
    version: '0.0.0',
    environment: { ...process.env, ...environment },
    environmentNames: [],
    workingFolder: folder,
    maxOutputBytes: 1024 * 1024,
    restartScale: 0.02,
    ...options,
  });
  const tools = await createTools({
    discover: async (changed) => servers.discover(changed),
    async readPolicy() {
      await servers.read();
      return NO_POLICY;
    },
  });
  await tools.ready();
  return {
    folder,
    tools,
    servers,
    write,
    async run(name, args = {}, context = {}) {
      const tool = tools.registry().tools.get(name);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      return tools.run({ tool, arguments: { ...args } }, { ...CONTEXT, ...context });
    },
    async close() {
      await tools.close();
      await keeper.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const CONTEXT: ToolRunContext = {
  sessionId: null,
  turnId: null,
  toolCallId: null,
  executionId: 'exec_000000000001',
  attempt: 1,
  idempotencyKey: 'key',
  signal: new AbortController().signal,
  onProgress: () => undefined,
};
