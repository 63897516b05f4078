// The AI SDK's own chat, pointed at this server by its address and nothing else.
import {
  AbstractChat,
  type ChatInit,
  type ChatState,
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  type UIMessage,
} from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { text, thinking, toolCall } from '../fake-ollama/chat-script.ts';
import { cutAfter, hangAfter, pauseAfter, script } from '../fake-ollama/script-modifiers.ts';
import { succeeded } from '../support/scripted-source.ts';
import { startToolServer, type ToolServer } from '../support/server-with-tools.ts';

let server: ToolServer;
let runs = 0;
beforeAll(async () => {
  const wipe = { name: 'wipe', needsApproval: true, run: async () => succeeded(`wiped ${(runs += 1)}`) };
  server = await startToolServer([wipe]);
});
afterAll(() => server.close());
beforeEach(() => {
  server.ollama.requests.length = 0;
});

/** As a framework holds it. */
function plainState(messages: UIMessage[]): ChatState<UIMessage> {
  return {
    status: 'ready',
    error: undefined,
    messages,
    pushMessage(message) {
      this.messages = [...this.messages, message];
    },
    popMessage() {
      this.messages = this.messages.slice(0, -1);
    },
    replaceMessage(index, message) {
      this.messages = this.messages.map((old, at) => (at === index ? message : old));
    },
    snapshot: (value) => structuredClone(value),
  };
}

class PlainChat extends AbstractChat<UIMessage> {
  constructor({ messages = [], ...init }: ChatInit<UIMessage>) {
    super({ ...init, state: plainState(messages) });
  }
}

let names = 0;
const newName = () => `app-chat-${(names += 1)}`;
const openChat = (id: string, init: Partial<ChatInit<UIMessage>> & { body?: object } = {}) => {
  const { body = {}, ...rest } = init;
  return new PlainChat({
    id,
    transport: new DefaultChatTransport({ api: `${server.url}/ai/chat`, body }),
    ...rest,
  });
};

const post = (path: string, body?: object) =>
  fetch(`${server.url}/ai/chat${path}`, {
    method: 'POST',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
interface ReadChat {
  readonly session_id: string;
  readonly active_turn: string | null;
  readonly messages: UIMessage[];
}
const read = async (id: string): Promise<ReadChat> => {
  const answer = await fetch(`${server.url}/ai/chat/${id}`);
  return (await answer.json()) as ReadChat;
};
const textOf = ({ parts }: UIMessage) =>
  parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('|');
const said = ({ messages }: { messages: UIMessage[] }) =>
  messages.map((message) => `${message.role}: ${textOf(message)}`);

describe('a chat of the AI SDK', () => {
  it('is a stored session under its own id, and reads as it was shown', async () => {
    const id = newName();
    const chat = openChat(id, { body: { model: 'qwen3:14b' } });
    server.ollama.reply(thinking(['A town.'], ['Par', 'is.']), text('Berlin.'));
    await chat.sendMessage({ text: 'The capital of France?' });
    await chat.sendMessage({ text: 'And of Germany?' });
    expect(said(chat)).toEqual([
      'user: The capital of France?',
      'assistant: Paris.',
      'user: And of Germany?',
      'assistant: Berlin.',
    ]);
    const stored = await read(id);
    expect(stored.messages.map(({ id: own }: UIMessage) => own)).toEqual(
      chat.messages.map(({ id: own }) => own),
    );
    expect(said(stored)).toEqual(said(chat));
    const shown = (message: UIMessage | undefined) =>
      message?.parts.map((part) => [part.type, 'text' in part ? part.text : null]);
    expect(shown(stored.messages[1])).toEqual(shown(chat.messages[1]));
    expect(await server.messages(stored.session_id)).toHaveLength(4);
  });

  it('regenerates, edits and goes back, and nothing is lost', async () => {
    const id = newName();
    const chat = openChat(id);
    server.ollama.reply(text('one'), text('two'), text('three'), text('four'));
    await chat.sendMessage({ text: 'A' });
    await chat.regenerate();
    expect(said(chat)).toEqual(['user: A', 'assistant: two']);
    const [first] = chat.messages;
    await chat.sendMessage({ text: 'B', messageId: first?.id ?? '' });
    expect(said(chat)).toEqual(['user: B', 'assistant: three']);
    await chat.sendMessage({ text: 'C' });
    expect(said(chat)).toEqual(['user: B', 'assistant: three', 'user: C', 'assistant: four']);
    const { session_id: session } = await read(id);
    const tree = (await server.get(`/sessions/${session}/tree`)).body.messages;
    expect(tree.map(({ content }: { content: string }) => content).toSorted()).toEqual(
      ['A', 'B', 'C', 'four', 'one', 'three', 'two'].toSorted(),
    );
  });

  it('keeps what a chat brings that begins here', async () => {
    const id = newName();
    const chat = openChat(id, {
      messages: [
        { id: 'u0', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
        { id: 'a0', role: 'assistant', parts: [{ type: 'text', text: 'Hello.' }] },
      ],
    });
    server.ollama.reply(text('Well.'));
    await chat.sendMessage({ text: 'How are you?' });
    expect(said(await read(id))).toEqual([
      'user: Hi',
      'assistant: Hello.',
      'user: How are you?',
      'assistant: Well.',
    ]);
  });

  it('is resumed by a reload in the middle, with all of its parts, and 204 when nothing runs', async () => {
    const id = newName();
    const chat = openChat(id, { body: { model: 'qwen3:14b' } });
    server.ollama.reply(script(thinking(['A town.'], ['Par', 'is', '.']), pauseAfter(3, 1000)));
    void chat.sendMessage({ text: 'The capital of France?' });
    await expect.poll(() => chat.messages.length).toBe(2);
    const stored = await read(id);
    const reloaded = openChat(id, { messages: stored.messages.slice(0, 1) });
    await reloaded.resumeStream();
    expect(said(reloaded)).toEqual(['user: The capital of France?', 'assistant: Paris.']);
    expect(reloaded.messages[1]?.parts.map(({ type }) => type)).toEqual(['step-start', 'reasoning', 'text']);
    expect((await fetch(`${server.url}/ai/chat/${id}/stream`)).status).toBe(204);
  });

  it('is resumed to nothing as long as nothing was said in it', async () => {
    const chat = openChat(newName());
    await chat.resumeStream();
    expect([chat.status, chat.error, said(chat)]).toEqual(['ready', undefined, []]);
  });

  it('goes on when the client leaves, and stops when it is told to', async () => {
    const id = newName();
    const chat = openChat(id);
    server.ollama.reply(script(text('Par', 'is.'), hangAfter(1)));
    void chat.sendMessage({ text: 'The capital of France?' });
    await expect.poll(() => said(chat)[1]).toBe('assistant: Par');
    await chat.stop();
    expect((await read(id)).active_turn).not.toBeNull();
    const other = { turn_id: 'turn_0f3c5a9d21be' };
    await post(`/${id}/stop`, other);
    expect((await read(id)).active_turn).not.toBeNull();
    expect(await (await post(`/${id}/stop`)).json()).toEqual({ success: true });
    const stored = await read(id);
    expect({ active: stored.active_turn, said: said(stored) }).toEqual({
      active: null,
      said: ['user: The capital of France?', 'assistant: Par'],
    });
  });

  it('runs its own tools, and hands their outputs on', async () => {
    const id = newName();
    const tools = [{ name: 'where', description: 'Where?', inputSchema: { type: 'object', properties: {} } }];
    const chat: PlainChat = openChat(id, {
      body: { tools },
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall: { toolCallId } }) => {
        void chat.addToolOutput({ tool: 'where', toolCallId, output: { town: 'Bern' } });
      },
    });
    server.ollama.reply(toolCall('where', {}), text('You are in Bern.'));
    await chat.sendMessage({ text: 'Where am I?' });
    await expect.poll(() => said(chat).at(-1)).toBe('assistant: You are in Bern.');
    expect(chat.messages).toHaveLength(2);
    const stored = await read(id);
    expect(
      stored.messages[1]?.parts.map(({ type, state }: UIMessage['parts'][number] & { state?: string }) => [
        type,
        state,
      ]),
    ).toEqual([
      ['step-start', undefined],
      ['tool-where', 'output-available'],
      ['step-start', undefined],
      ['text', 'done'],
    ]);
  });

  it.each([
    ['approved', true, 1, 'output-available'],
    ['denied', false, 0, 'output-denied'],
  ])('asks before a tool runs here: %s', async (_, isApproved, count, state) => {
    const id = newName();
    runs = 0;
    await openChat(id).sendMessage({ text: 'Hi' });
    const { session_id: session } = await read(id);
    await server.request('PATCH', `/sessions/${session}`, { tool_settings: { tools: ['wipe'] } });
    const chat = openChat(id, {
      messages: (await read(id)).messages,
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    });
    server.ollama.reply(toolCall('wipe', {}), text('Done.'));
    await chat.sendMessage({ text: 'Wipe it.' });
    const part = chat.messages.at(-1)?.parts.at(-1);
    if (part?.type !== 'dynamic-tool' || part.state !== 'approval-requested')
      throw new Error(`is ${JSON.stringify(part)}`);
    expect((await read(id)).messages.at(-1)?.parts.at(-1)).toMatchObject({
      state: 'approval-requested',
      approval: { id: part.approval.id },
    });
    expect((await fetch(`${server.url}/ai/chat/${id}/stream`)).status).toBe(204);
    await chat.addToolApprovalResponse({ id: part.approval.id, approved: isApproved });
    await expect.poll(() => said(chat).at(-1)).toBe('assistant: Done.');
    expect(runs).toBe(count);
    expect(chat.messages.at(-1)?.parts.find(({ type }) => type === 'dynamic-tool')).toMatchObject({ state });
  });

  it('tells in words what went wrong, before and in the stream', async () => {
    const chat = openChat(newName(), { body: { model: 'nobody' } });
    await chat.sendMessage({ text: 'x' });
    expect(chat.error?.message).toMatch(/^Model nobody is not installed\./);
    const broken = openChat(newName());
    server.ollama.reply(script(text('Par', 'is.'), cutAfter(1)));
    await broken.sendMessage({ text: 'x' });
    expect(broken.error?.message).toMatch(/^The answer of Ollama ended early/);
    expect(said(broken)).toEqual(['user: x', 'assistant: Par']);
    const unknown = await fetch(`${server.url}/ai/chat/0123456789`);
    expect([unknown.status, unknown.headers.get('x-mochi-error'), await unknown.text()]).toEqual([
      404,
      'session_not_found',
      expect.stringMatching(/not found/),
    ]);
  });
});
