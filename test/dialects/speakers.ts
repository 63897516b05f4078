// A conversation in the words of three APIs: what a front end has of it, sent whole, and what it is answered.
import type { ChatMessage } from './front-end.ts';

export interface Said {
  readonly role: 'user' | 'assistant' | 'tool';
  readonly text: string;
  /** Of an assistant: the call that it made. Of a tool: the call that it answers. */
  readonly call?: { readonly id: string; readonly name: string; readonly args: object };
}

interface Answer extends Said {
  readonly sessionId: string | null;
}

interface Request {
  readonly system: string | null;
  readonly history: readonly Said[];
  readonly session: string;
}

type Speaker = (url: string, request: Request) => Promise<Answer>;

async function post(url: string, path: string, session: string, body: object) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'x-mochi-session': session },
    body: JSON.stringify({ model: 'llama3.2', max_tokens: 100, stream: false, ...body }),
  });
  const answer: any = await response.json();
  if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  return { answer, sessionId: response.headers.get('x-mochi-session') };
}

const parameters = { type: 'object', properties: { at: { type: 'integer' } } };
const tools = [{ type: 'function', function: { name: 'look', parameters } }];

const openAi: Speaker = async (url, { system, history, session }) => {
  const messages: ChatMessage[] = history.map(({ role, text, call }) => ({
    role,
    content: text,
    ...(role === 'tool' && { tool_call_id: call?.id ?? '' }),
    ...(role === 'assistant' &&
      call && {
        tool_calls: [
          {
            id: call.id,
            type: 'function',
            function: { name: call.name, arguments: JSON.stringify(call.args) },
          },
        ],
      }),
  }));
  if (system !== null) messages.unshift({ role: 'developer', content: system });
  const { answer, sessionId } = await post(url, '/v1/chat/completions', session, { messages, tools });
  const { content, tool_calls: calls } = answer.choices[0].message;
  const [call] = calls ?? [];
  const named = call && { id: call.id, name: call.function.name, args: JSON.parse(call.function.arguments) };
  return { role: 'assistant', text: content ?? '', ...(named && { call: named }), sessionId };
};

const ollama: Speaker = async (url, { system, history, session }) => {
  const messages: object[] = history.map(({ role, text, call }) => ({
    role,
    content: text,
    ...(role === 'tool' && { tool_name: call?.name }),
    ...(role === 'assistant' &&
      call && { tool_calls: [{ id: call.id, function: { name: call.name, arguments: call.args } }] }),
  }));
  if (system !== null) messages.unshift({ role: 'system', content: system });
  const { answer, sessionId } = await post(url, '/api/chat', session, { messages, tools });
  const { content, tool_calls: calls } = answer.message;
  const [call] = calls ?? [];
  const named = call && { id: call.id, name: call.function.name, args: call.function.arguments };
  return { role: 'assistant', text: content, ...(named && { call: named }), sessionId };
};

const anthropic: Speaker = async (url, { system, history, session }) => {
  const messages = history.map(({ role, text, call }) => {
    if (role === 'tool') {
      return { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id, content: text }] };
    }
    const said = text === '' ? [] : [{ type: 'text', text }];
    const used = call ? [{ type: 'tool_use', id: call.id, name: call.name, input: call.args }] : [];
    return { role, content: [...said, ...used] };
  });
  const { answer, sessionId } = await post(url, '/v1/messages', session, {
    messages,
    tools: [{ name: 'look', input_schema: parameters }],
    ...(system !== null && { system: [{ type: 'text', text: system }] }),
  });
  const text = answer.content.flatMap((block: any) => (block.type === 'text' ? [block.text] : [])).join('');
  const used = answer.content.find((block: any) => block.type === 'tool_use');
  const call = used && { id: used.id, name: used.name, args: used.input };
  return { role: 'assistant', text, ...(call && { call }), sessionId };
};

export const SPEAKERS = { openAi, ollama, anthropic };
export type SpeakerName = keyof typeof SPEAKERS;
