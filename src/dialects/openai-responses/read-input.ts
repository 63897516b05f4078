// Items of a request → what was said. Pure.
import { invalidField } from '../../contract/errors.ts';
import type { SaidCall, SaidMessage } from '../history.ts';
import { isObject, type JsonObject, readArguments, readContent, readText } from '../read-content.ts';
import { unsealThinking } from './items.ts';

export interface SaidItems {
  /** What comes after the last item that is of ours. */
  readonly messages: readonly SaidMessage[];
  /** The id of that item; null: there is none. */
  readonly afterItem: string | null;
}

type MutableMessage = { -readonly [Key in keyof SaidMessage]: SaidMessage[Key] };

export function readInput(input: string | readonly JsonObject[], path = '/input'): SaidItems {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }], afterItem: null };
  const last = input.findLastIndex(({ type }) => type === 'item_reference');
  const afterItem = last === -1 ? null : readText(input[last]?.['id'], `${path}/${last}/id`);
  const said = new SaidSoFar();
  for (const [index, item] of input.entries()) {
    if (index > last) readItem(item, `${path}/${index}`, said);
  }
  return { messages: said.messages, afterItem };
}

/** Thoughts, words and calls of one answer come as several items. */
class SaidSoFar {
  readonly messages: MutableMessage[] = [];

  add(message: SaidMessage): void {
    this.messages.push({ ...message });
  }

  think(thinking: string): void {
    this.messages.push({ role: 'assistant', content: '', thinking });
  }

  /** Words go to the thoughts before them. */
  answer(message: SaidMessage): void {
    const last = this.messages.at(-1);
    if (last?.role !== 'assistant' || last.content !== '' || last.toolCalls !== undefined) this.add(message);
    else Object.assign(last, { content: message.content });
  }

  /** Calls go to the words, thoughts and calls before them. */
  call(call: SaidCall): void {
    const last = this.messages.at(-1);
    if (last?.role === 'assistant') last.toolCalls = [...(last.toolCalls ?? []), call];
    else this.add({ role: 'assistant', content: '', toolCalls: [call] });
  }
}

function readItem(item: JsonObject, path: string, said: SaidSoFar): void {
  const { type = item['role'] === undefined ? undefined : 'message' } = item;
  switch (type) {
    case 'message':
      readMessage(item, path, said);
      return;
    case 'function_call': {
      const name = readText(item['name'], `${path}/name`);
      const { namespace } = item;
      said.call({
        id: readId(item, path),
        name: typeof namespace === 'string' && namespace !== '' ? `${namespace}.${name}` : name,
        arguments: readArguments(item['arguments']),
      });
      return;
    }
    case 'custom_tool_call':
      said.call({
        id: readId(item, path),
        name: readText(item['name'], `${path}/name`),
        arguments: { input: readText(item['input'], `${path}/input`) },
      });
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      said.add(readOutput(item, path));
      return;
    case 'reasoning':
      said.think(readThinking(item));
      return;
    default:
      // Of a kind that nobody here knows, such as our own calls coming back.
      return;
  }
}

function readMessage(item: JsonObject, path: string, said: SaidSoFar): void {
  const { text: content, images } = readContent(item['content'], `${path}/content`);
  switch (item['role']) {
    case 'assistant':
      said.answer({ role: 'assistant', content });
      return;
    case 'user':
      said.add({ role: 'user', content, images });
      return;
    case 'system':
    case 'developer':
      said.add({ role: 'system', content });
      return;
    default:
      throw invalidField(`${path}/role`, 'must be user, assistant, system or developer');
  }
}

function readId(item: JsonObject, path: string): string | null {
  const id = readText(item['call_id'] ?? item['id'], `${path}/call_id`);
  return id === '' ? null : id;
}

function readOutput(item: JsonObject, path: string): SaidMessage {
  const { text: content, images } = readContent(item['output'], `${path}/output`);
  return { role: 'tool', content, images, toolCallId: readText(item['call_id'], `${path}/call_id`) };
}

function readThinking({ content, summary, encrypted_content: sealed }: JsonObject): string {
  const own = typeof sealed === 'string' ? unsealThinking(sealed) : null;
  const told = textsOf(content);
  return own ?? (told === '' ? textsOf(summary) : told);
}

function textsOf(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .join('\n');
}
