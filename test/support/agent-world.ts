// Folders of agents, and the real tools of a server around them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Agent } from '../../src/agents/agent.ts';
import { type Agents, createAgents } from '../../src/agents/agents.ts';
import { type OpenTools, openTools } from '../../src/tools/open-tools.ts';
import type { PreparedCall } from '../../src/tools/prepare-call.ts';
import type { ToolOutcome } from '../../src/tools/tool.ts';

type Files = Readonly<Record<string, string>>;

export interface AgentWorld {
  readonly dataDir: string;
  readonly tools: OpenTools;
  readonly agents: Agents;
  write(files: Files): void;
  /** What becomes of a call of an agent's model. */
  prepare(agent: Agent, name: string, args: object, session?: object): PreparedCall;
  /** Of a call that may run. */
  run(call: PreparedCall): Promise<ToolOutcome>;
  close(): Promise<void>;
}

/** @param files paths below the data folder, and their text */
export async function openAgentWorld(files: Files, options: object = {}): Promise<AgentWorld> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-agents-'));
  const write = (texts: Files) => writeFiles(dataDir, texts);
  write(files);
  const tools = await openTools(
    {
      version: '0',
      dataDir,
      toolsDir: join(dataDir, 'tools'),
      toolPolicy: join(dataDir, 'tool-policy.json'),
      mcpConfig: join(dataDir, 'mcp.json'),
      agentsDir: join(dataDir, 'agents'),
      sessionsDir: join(dataDir, 'chat_sessions'),
      systemPromptsDir: join(dataDir, 'system_prompts'),
      builtinTools: [],
      filesDir: null,
      fetchAllow: [],
      toolResultChars: 16_000,
      python: 'python3',
      toolEnv: [],
      toolTimeoutSeconds: 15,
      toolMaxOutputBytes: 1024 ** 2,
      toolMemoryMb: 512,
      maxToolProcesses: 16,
      ...options,
    },
    process.env,
  );
  const agents = createAgents({ tools, agentsDir: join(dataDir, 'agents'), toolResultChars: 16_000 });
  return {
    dataDir,
    tools,
    agents,
    write,
    prepare: (agent, name, args, session = {}) =>
      tools.prepare(
        { name, arguments: args as Record<string, unknown> },
        {
          offer: agent.offer,
          session: { execution_policy: 'never_confirm', tool_policies: {}, ...session },
        },
      ),
    async run(call) {
      if (!('tool' in call)) throw new Error(`It does not run: ${call.text}`);
      return tools.run(call, {
        sessionId: 'session',
        turnId: 'turn',
        toolCallId: 'call',
        executionId: 'exec_000000000001',
        attempt: 1,
        idempotencyKey: 'key',
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
    },
    async close() {
      await tools.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A SKILL.md with a description and nothing odd. */
export function skill(front = '', body = 'Do what you are told.'): string {
  return `---\ndescription: Works.\n${front}${front === '' ? '' : '\n'}---\n${body}\n`;
}

/** A native module with one tool that answers. */
export function nativeTool(name: string, body = `return ${JSON.stringify(name)};`): string {
  return `export const ${name} = {
  description: 'What ${name} does.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  execute: async ({ text }) => { ${body} },
};\n`;
}

/** A Python package with one tool that answers. */
export function pythonTool(name: string, body = `return "${name}"`): string {
  return `def ${name}(text: str = "") -> str:\n    """What ${name} does."""\n    ${body}\n`;
}
