// One stored conversation, read natively and in every dialect that can read: each must tell the same.
import { expect } from 'vitest';
import type { TestServer } from '../support/test-server.ts';

/** [role, text]; a call of a tool is the text `name {arguments}`. */
export type Said = readonly [role: string, text: string];

interface ReadMessage {
  readonly role: string;
  readonly content: string;
  readonly tool_calls:
    | readonly { readonly function: { readonly name: string; readonly arguments: object } }[]
    | null;
}
interface Item {
  readonly type: string;
  readonly role?: string;
  readonly name?: string;
  readonly arguments?: string;
  readonly output?: string;
  readonly content?: readonly { readonly text?: string }[];
}
interface Part {
  readonly type: string;
  readonly text?: string;
  readonly input?: object;
  readonly output?: unknown;
  readonly toolName?: string;
}

/** The session of a name, or of an id. */
async function sessionOf(server: TestServer, name: string): Promise<string> {
  const answer = await fetch(`${server.url}/ai/chat/${name}`);
  const { session_id: id } = (await answer.json()) as { session_id: string };
  return id;
}

/** Holds what a session holds against what was said in it: as messages, as a conversation's items, as a chat's parts. */
export async function expectSaid(server: TestServer, name: string, said: readonly Said[]): Promise<void> {
  const id = await sessionOf(server, name);
  const spoken = said.filter(([role]) => role !== 'system');
  expect((await readNatively(server, id)).filter(([role]) => role !== 'system')).toEqual(spoken);
  expect(await readItems(server, id)).toEqual(spoken);
  expect(await readChat(server, id)).toEqual(spoken);
}

async function readNatively(server: TestServer, id: string): Promise<Said[]> {
  const messages: readonly ReadMessage[] = await server.messages(id);
  return messages.flatMap(({ role, content, tool_calls: calls }) => [
    ...(content === '' && calls !== null ? [] : [[role, content] as const]),
    ...(calls ?? []).map(
      ({ function: call }) => ['call', `${call.name} ${JSON.stringify(call.arguments)}`] as const,
    ),
  ]);
}

async function readItems(server: TestServer, id: string): Promise<Said[]> {
  const path = `/v1/conversations/conv_${id}/items?order=asc&limit=100`;
  const { data } = (await (await fetch(`${server.url}${path}`)).json()) as { data: Item[] };
  return data.flatMap((item): Said[] => {
    const words = (item.content ?? []).map(({ text = '' }) => text).join('');
    if (item.type === 'message' && item.role !== 'system') return [[item.role ?? '', words]];
    if (item.type === 'function_call') return [['call', `${item.name} ${item.arguments}`]];
    if (item.type === 'function_call_output') return [['tool', item.output ?? '']];
    return [];
  });
}

/** A chat's message holds a call and its output in one part. */
async function readChat(server: TestServer, id: string): Promise<Said[]> {
  const answer = await fetch(`${server.url}/ai/chat/${id}`);
  const { messages } = (await answer.json()) as { messages: { role: string; parts: Part[] }[] };
  return messages
    .filter(({ role }) => role !== 'system')
    .flatMap(({ role, parts }) => {
      const calls: Said[] = [];
      const results: Said[] = [];
      const told: Said[] = [];
      const close = () => told.push(...calls.splice(0), ...results.splice(0));
      for (const part of parts) {
        if (part.type === 'step-start') close();
        else if (part.type === 'text') told.push([role, part.text ?? '']);
        else if (part.type.startsWith('tool-')) {
          calls.push(['call', `${part.type.slice(5)} ${JSON.stringify(part.input)}`]);
          results.push(['tool', typeof part.output === 'string' ? part.output : JSON.stringify(part.output)]);
        }
      }
      close();
      return told;
    });
}
