// Messages made of blocks → messages as they are said here. Pure.
import { invalidField } from '../../contract/errors.ts';
import type { SaidCall, SaidMessage } from '../history.ts';
import {
  checkImages,
  isObject,
  type JsonObject,
  readArguments,
  readImage,
  readText,
} from '../read-content.ts';

/** What only Anthropic's own servers can have made, and can read again. */
const SKIPPED = new Set(['redacted_thinking', 'server_tool_use', 'container_upload', 'fallback']);

export function readMessages(messages: readonly JsonObject[]): SaidMessage[] {
  return messages.flatMap((message, index) => readMessage(message, `/messages/${index}`));
}

/** A text, or one of several blocks: each is looked at by itself. */
export function readSystem(system: unknown): string[] {
  if (system === undefined || system === null) return [];
  return listBlocks(system, '/system').map((block, index) =>
    readText(block['text'], `/system/${index}/text`),
  );
}

/** A text is one block. */
function listBlocks(content: unknown, path: string): JsonObject[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw invalidField(path, 'must be a string or a list of blocks');
  return content.map((block: unknown, index) => {
    if (typeof block === 'string') return { type: 'text', text: block };
    if (!isObject(block)) throw invalidField(`${path}/${index}`, 'must be an object');
    return block;
  });
}

/** A user message with results is several: the results, then what the user says. */
function readMessage(message: JsonObject, path: string): SaidMessage[] {
  const { role } = message;
  const blocks = listBlocks(message['content'], `${path}/content`);
  const read = blocks.map((block, index) => readBlock(block, `${path}/content/${index}`));
  const content = read.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n');
  const images = checkImages(
    read.flatMap((block) => block.images ?? []),
    `${path}/content`,
  );
  switch (role) {
    case 'system':
      return [{ role, content }];
    case 'user': {
      const results = read.flatMap(({ result }) => (result === undefined ? [] : [result]));
      const says = results.length === 0 || content !== '' || images.length > 0;
      return [...results, ...(says ? [{ role, content, images }] : [])];
    }
    case 'assistant': {
      const thinking = read.flatMap((block) => block.thinking ?? []).join('\n');
      return [{ role, content, thinking, toolCalls: read.flatMap(({ call }) => call ?? []) }];
    }
    default:
      throw invalidField(`${path}/role`, 'must be user or assistant');
  }
}

interface Block {
  readonly text?: string;
  readonly images?: readonly string[];
  readonly thinking?: string;
  readonly call?: SaidCall;
  readonly result?: SaidMessage;
}

function readBlock(block: JsonObject, path: string): Block {
  const { type } = block;
  switch (type) {
    case 'text':
      return { text: readText(block['text'], `${path}/text`) };
    case 'image':
      return { images: [readSource(block, path)] };
    case 'document':
      return { text: readDocument(block, path) };
    case 'thinking':
      return { thinking: readText(block['thinking'], `${path}/thinking`) };
    case 'tool_use':
      return { call: readCall(block, path) };
    case 'tool_result':
      return readResult(block, path);
    default:
      if (typeof type === 'string' && (SKIPPED.has(type) || type.endsWith('_tool_result'))) return {};
      throw invalidField(
        `${path}/type`,
        `must be text, image, document, thinking, tool_use or tool_result: ${JSON.stringify(type)?.slice(0, 50)} cannot be read`,
      );
  }
}

function readSource(block: JsonObject, path: string): string {
  const source = isObject(block['source']) ? block['source'] : {};
  const { data, url } = source;
  if (typeof url === 'string') return readImage(url, `${path}/source/url`);
  if (typeof data === 'string') return readImage(data, `${path}/source/data`);
  throw invalidField(`${path}/source`, 'must be an image in base64');
}

function readDocument(block: JsonObject, path: string): string {
  const source = isObject(block['source']) ? block['source'] : {};
  const text =
    source['type'] === 'content' ? textOf(source['content'], `${path}/source/content`) : source['data'];
  const isText = source['type'] === 'text' || source['type'] === 'content';
  if (!isText || typeof text !== 'string') {
    throw invalidField(`${path}/source/type`, 'must be text: other documents cannot be read');
  }
  const title = readText(block['title'], `${path}/title`);
  return title === '' ? text : `${title}\n\n${text}`;
}

function readCall(block: JsonObject, path: string): SaidCall {
  const { id, name, input } = block;
  if (typeof name !== 'string') throw invalidField(`${path}/name`, 'must be a string');
  return { id: typeof id === 'string' && id !== '' ? id : null, name, arguments: readArguments(input) };
}

/** Images of a result are shown beside it, by the user. */
function readResult(block: JsonObject, path: string): Block {
  const { tool_use_id: id, is_error: isError } = block;
  const blocks = listBlocks(block['content'], `${path}/content`);
  const read = blocks.map((part, index) => readBlock(part, `${path}/content/${index}`));
  const text = read.flatMap((part) => part.text ?? []).join('\n');
  const result: SaidMessage = {
    role: 'tool',
    content: isError === true ? `Error: ${text}` : text,
    ...(typeof id === 'string' && id !== '' && { toolCallId: id }),
  };
  return { result, images: read.flatMap((part) => part.images ?? []) };
}

function textOf(content: unknown, path: string): string {
  return listBlocks(content, path)
    .map((block, index) => readText(block['text'], `${path}/${index}/text`))
    .join('\n');
}
