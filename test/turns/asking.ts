// A model and tools with which turns come to wait for a person, and go on as the message says.
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text, tokens, toolCalls } from '../fake-ollama/chat-script.ts';
import { hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { ADD, startToolServer, type ToolServer } from '../support/server-with-tools.ts';
import { isPhase, readUntil } from './watching.ts';

/** `Ask 2` asks for a tool twice at once; `hang` hangs; everything else is answered. After tools it says what they gave. */
function askOrAnswer({ messages = [] }: RequestBody): ChatScript {
  const last = messages.at(-1);
  if (last?.role === 'tool') {
    const results = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1);
    return text('They said: ', results.map(({ content }) => content).join(' | '));
  }
  const [verb, count = '1'] = (last?.content ?? '').split(' ');
  if (verb === 'hang') return script(tokens(1), hangAfter(1));
  if (verb !== 'Ask') return text('Fine', '.');
  return toolCalls(
    Array.from({ length: Number(count) }, (_, index) => ({
      name: 'add_numbers',
      args: { a: index, b: 1 },
      id: `call_${index}`,
    })),
  );
}

export async function startAsking(options: Parameters<typeof startToolServer>[1] = {}): Promise<ToolServer> {
  const server = await startToolServer([ADD], options);
  server.ollama.setDefault(askOrAnswer);
  return server;
}

/** A session whose calls are asked about. */
export async function askingSession(server: ToolServer): Promise<string> {
  return server.toolSession(['add_numbers'], { tool_settings: { execution_policy: 'always_confirm' } });
}

/** A stream whose turn waits for a person. */
export async function openWaiting(server: ToolServer, sessionId: string, body: Record<string, unknown> = {}) {
  const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Ask', ...body });
  const seen = await readUntil(stream, ({ event }) => event === 'tool_call_confirmation_required');
  return {
    stream,
    seen,
    turnId: stream.headers.get('x-turn-id') ?? '',
    confirmationId: String(seen.at(-1)?.data.confirmation_id),
    rest: async () => [...seen, ...(await stream.all())],
  };
}

/** A stream that waits in the line of its session. */
export async function openQueued(server: ToolServer, sessionId: string, body: Record<string, unknown>) {
  const stream = await server.stream(`/chat/${sessionId}/stream`, body);
  const seen = await readUntil(stream, isPhase('queued'));
  const turnId = stream.headers.get('x-turn-id') ?? '';
  return { stream, seen, turnId, rest: async () => [...seen, ...(await stream.all())] };
}
