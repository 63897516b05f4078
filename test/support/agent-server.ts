// A server with agents whose tools a test writes, and runs told so that they can be compared whole.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import type { FakeOllamaOptions } from '../fake-ollama/fake-state.ts';
import { nativeTool, skill, writeFiles } from './agent-world.ts';
import type { StreamedEvent } from './read-events.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export interface AgentServer extends TestServer {
  /** Streams a run that a client starts. */
  run(agent: string, body: Record<string, unknown>): Promise<StreamedEvent[]>;
  /** A session whose model may call the agents. @returns its id */
  agentSession(agents: readonly string[], settings?: Record<string, unknown>): Promise<string>;
  /** Streams a turn to its end. */
  told(sessionId: string, body: Record<string, unknown>): Promise<StreamedEvent[]>;
  /** What the engine was asked since the last time. */
  asked(): Asked[];
}

/** A request to the engine, without what is the same in all of them. */
interface Asked {
  readonly tools: readonly string[];
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Runs unasked. */
export const UNASKED = { execution_policy: 'never_confirm' } as const;

/** One with a tool `count`. */
export const CODER = {
  'agents/coder/SKILL.md': skill('', 'You count.'),
  'agents/coder/index.mjs': nativeTool('count', 'return "counted " + (text ?? "");'),
};

export async function startAgentServer(
  files: Readonly<Record<string, string>> = CODER,
  options: { readonly config?: Partial<Config>; readonly ollama?: FakeOllamaOptions } = {},
): Promise<AgentServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-agent-server-'));
  writeFiles(dataDir, files);
  const server = await startTestServer({ ...options, dataDir });
  let seen = 0;
  const own = {
    run: async (agent: string, body: Record<string, unknown>) => {
      const stream = await server.stream(`/agents/agent/${agent}/chat/stream`, body);
      return stream.all();
    },
    agentSession: (agents: readonly string[], settings: Record<string, unknown> = {}) =>
      server.createSession({
        agent_settings: { enabled_agents: agents },
        tool_settings: UNASKED,
        ...settings,
      }),
    told: async (sessionId: string, body: Record<string, unknown>) =>
      (await server.stream(`/chat/${sessionId}/stream`, body)).all(),
    asked: () => {
      const requests = server.ollama.requestsTo('/api/chat').slice(seen);
      seen += requests.length;
      return requests.map(({ body }) => toAsked(body));
    },
    close: async () => {
      await server.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return Object.defineProperties(own, {
    ...omit(Object.getOwnPropertyDescriptors(server), 'close'),
  }) as unknown as AgentServer;
}

function omit(whole: PropertyDescriptorMap, key: string): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key));
}

function toAsked(body: unknown): Asked {
  const { tools = [], messages } = body as {
    tools?: readonly { function: { name: string } }[];
    messages: Asked['messages'];
  };
  return {
    tools: tools.map((tool) => tool.function.name),
    messages: messages.map(({ role, content }) => ({ role, content })),
  };
}
