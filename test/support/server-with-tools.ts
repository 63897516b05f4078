// A server with tools that a test writes, and turns told so that they can be compared whole.
import type { Config } from '../../src/config.ts';
import type { FakeOllamaOptions } from '../fake-ollama/fake-state.ts';
import type { StreamedEvent } from './read-events.ts';
import { ScriptedSource, type ScriptedTool, succeeded } from './scripted-source.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export interface ToolServer extends TestServer {
  readonly source: ScriptedSource;
  /** @param tools names, or all settings. @returns the id of a session whose calls run unasked */
  toolSession(tools: readonly string[], settings?: Record<string, unknown>): Promise<string>;
  /** Streams a turn to its end. */
  told(sessionId: string, body: unknown): Promise<StreamedEvent[]>;
}

export async function startToolServer(
  tools: readonly ScriptedTool[],
  options: { readonly config?: Partial<Config>; readonly ollama?: FakeOllamaOptions } = {},
): Promise<ToolServer> {
  const source = new ScriptedSource('test', { tools });
  const server = await startTestServer({ ...options, toolSources: [source] });
  return Object.defineProperties(
    {
      source,
      toolSession: (names: readonly string[], { tool_settings: own, ...settings }: any = {}) =>
        server.createSession({
          ...settings,
          tool_settings: { tools: names, execution_policy: 'never_confirm', ...own },
        }),
      async told(sessionId: string, body: unknown) {
        const stream = await server.stream(`/chat/${sessionId}/stream`, body);
        return stream.all();
      },
    },
    Object.getOwnPropertyDescriptors(server),
  ) as ToolServer;
}

/** The parameters of `add`. */
const NUMBERS = {
  type: 'object',
  required: ['a', 'b'],
  properties: { a: { type: 'integer' }, b: { type: 'integer' } },
  additionalProperties: false,
};

/** Adds two numbers. */
export const ADD: ScriptedTool = {
  name: 'add_numbers',
  inputSchema: NUMBERS,
  run: async ({ a, b }) => succeeded(String(Number(a) + Number(b))),
};

/** Events in which nothing is by chance: ids of runs, messages and times have a mark in their place. */
export function shown(events: readonly StreamedEvent[]): unknown[] {
  return events.map(({ event, data }) => {
    if (event === 'message_complete') return [event, data.message.content];
    if (event === 'status') return [event, data.phase];
    if (event === 'context') return [event];
    if (event === 'turn_start' || event === 'done') return [event, data.state].filter(Boolean);
    if (event === 'error') return [event, data.code];
    if (event === 'content_delta') return [event, data.content];
    const { execution_id: run, ...rest } = data;
    return [event, run === undefined ? rest : { ...rest, ran: run !== null }];
  });
}

/** One call as it is told, with its result. */
export function toldCall(
  call: { readonly name: string; readonly args: unknown; readonly id: string; readonly index?: number },
  result: { readonly result?: string; readonly error?: string; readonly ran?: boolean },
): unknown[] {
  const { error, ran = error === undefined, result: text = '' } = result;
  const named = { tool_name: call.name, tool_call_id: call.id, call_index: call.index ?? 0 };
  return [
    ['tool_call', { ...named, arguments: call.args, ran }],
    [
      'tool_result',
      {
        ...named,
        success: error === undefined,
        result: text,
        error: error ?? null,
        error_message: error ?? null,
        ran,
      },
    ],
  ];
}
