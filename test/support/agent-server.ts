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

type Files = Readonly<Record<string, string>>;

/** Runs unasked. */
export const UNASKED = { execution_policy: 'never_confirm' } as const;

/** One with a tool `count`. */
export const CODER = {
  'agents/coder/SKILL.md': skill('', 'You count.'),
  'agents/coder/index.mjs': nativeTool('count', 'return "counted " + (text ?? "");'),
};

export async function startAgentServer(
  files: Files | ((dataDir: string) => Files) = CODER,
  options: { readonly config?: Partial<Config>; readonly ollama?: FakeOllamaOptions } = {},
): Promise<AgentServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'mochi-agent-server-'));
  writeFiles(dataDir, typeof files === 'function' ? files(dataDir) : files);
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

/** Events in which nothing is by chance: what names a run, a message or a time is left out. */
export function told(events: readonly StreamedEvent[]): unknown[] {
  return events.flatMap(({ event, data }): unknown[] => {
    const {
      session_id: _session,
      turn_id: _turn,
      message_id: _message,
      execution_id: _execution,
      tool_call_id: _call,
      agent_call_id: _agentCall,
      timestamp: _timestamp,
      confirmation_id: _confirmation,
      agent_session_id: _chat,
      user_message_id: _user,
      digest: _digest,
      estimate_ms: _estimate,
      usage: _usage,
      ...rest
    } = data;
    if (event === 'message_complete') return [[event, data.message.content, data.finish_reason]];
    if (event === 'context') return [[event]];
    if (event === 'status')
      return [[event, data.phase, data.agent_phase, data.round].filter((part) => part !== undefined)];
    if (event === 'agent_status') return [[event, data.phase, data.round, data.engine]];
    if (event === 'error') return [[event, data.code, data.message]];
    if (event === 'content_delta') return [[event, data.content]];
    if (event === 'agent_planning' || event === 'agent_execution') return [[event, data.content, data.round]];
    return [[event, 'output' in rest ? { ...rest, output: withoutId(String(rest.output)) } : rest]];
  });
}

/** The id of the chat is by chance. */
export function withoutId(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{10}\b/g, 'CHAT');
}
