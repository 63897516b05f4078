// The bodies of `POST /api/chat` and `POST /api/generate` → what was said, and how it is to be answered. Pure.
import type { Think } from '../../contract/engine.ts';
import { invalidField } from '../../contract/errors.ts';
import { type History, type SaidCall, type SaidMessage, toHistory } from '../history.ts';
import {
  checkImages,
  isObject,
  type JsonObject,
  readArguments,
  readImage,
  readText,
} from '../read-content.ts';
import {
  chooseTools,
  type GivenTool,
  readOptions,
  readTools,
  type TurnSettings,
  USUAL_SETTINGS,
} from '../settings.ts';
import type { GenerateBody, OllamaChatBody } from './chat-body.ts';

export interface OllamaRequest {
  readonly model: string;
  readonly isStream: boolean;
  readonly history: History;
  readonly settings: TurnSettings;
}

/** @throws MochiError validation_error, image_url_not_supported */
export function readChat(body: OllamaChatBody): OllamaRequest {
  const messages = body.messages ?? [];
  return {
    ...readCommon(body),
    history: toHistory(messages.map((message, index) => readMessage(message, `/messages/${index}`))),
    settings: { ...readSettings(body), ...chooseTools(readTools(readGivenTools(body)), 'auto') },
  };
}

/** One of plain words: what completes a text as it is goes another way. @throws MochiError as `readChat` */
export function readGenerate(body: GenerateBody): OllamaRequest {
  const images = readImages(body.images ?? [], '/images');
  return {
    ...readCommon(body),
    history: toHistory([{ role: 'user', content: body.prompt ?? '', images }], [body.system]),
    settings: readSettings(body),
  };
}

/** A stream is what Ollama answers where nobody says otherwise. */
function readCommon({
  model,
  stream,
}: OllamaChatBody | GenerateBody): Pick<OllamaRequest, 'model' | 'isStream'> {
  return { model, isStream: stream ?? true };
}

function readMessage(message: JsonObject, path: string): SaidMessage {
  const { role } = message;
  const content = readText(message['content'], `${path}/content`);
  switch (role) {
    case 'system':
      return { role, content };
    case 'user':
      return { role, content, images: readImages(message['images'], `${path}/images`) };
    case 'assistant':
      return {
        role,
        content,
        thinking: readText(message['thinking'], `${path}/thinking`),
        toolCalls: readCalls(message['tool_calls'], `${path}/tool_calls`),
      };
    case 'tool':
      return { role, content, ...readResult(message, path) };
    default:
      throw invalidField(`${path}/role`, 'must be system, user, assistant or tool');
  }
}

function readImages(given: unknown, path: string): readonly string[] {
  if (given == null) return [];
  if (!Array.isArray(given)) throw invalidField(path, 'must be a list of images in base64');
  const images = given.map((image, index) => {
    if (typeof image !== 'string') throw invalidField(`${path}/${index}`, 'must be an image in base64');
    return readImage(image, `${path}/${index}`);
  });
  return checkImages(images, path);
}

function readCalls(given: unknown, path: string): SaidCall[] {
  if (given == null) return [];
  if (!Array.isArray(given)) throw invalidField(path, 'must be a list');
  return given.map((call: unknown, index) => {
    const called = isObject(call) ? call['function'] : null;
    if (!isObject(call) || !isObject(called) || typeof called['name'] !== 'string') {
      throw invalidField(`${path}/${index}`, 'must have a function with a name');
    }
    const { id } = call;
    return {
      id: typeof id === 'string' && id !== '' ? id : null,
      name: called['name'],
      arguments: readArguments(called['arguments']),
    };
  });
}

/** Older clients say `name`, or neither. */
function readResult(message: JsonObject, path: string): Pick<SaidMessage, 'toolCallId' | 'toolName'> {
  const id = readText(message['tool_call_id'], `${path}/tool_call_id`);
  const name = readText(message['tool_name'] ?? message['name'], `${path}/tool_name`);
  return { ...(id !== '' && { toolCallId: id }), ...(name !== '' && { toolName: name }) };
}

function readSettings(body: OllamaChatBody | GenerateBody): TurnSettings {
  return {
    ...USUAL_SETTINGS,
    ...readOptions(body.options),
    think: readThink(body.think),
    format: readFormat(body.format),
    keepAlive: body.keep_alive === '' ? null : (body.keep_alive ?? null),
    truncation: body.truncate === false ? 'refuse' : 'leave_out',
  };
}

function readThink(think: unknown): Think | null {
  if (think === undefined || think === null || think === '') return null;
  if (typeof think === 'boolean') return think;
  if (think === 'low' || think === 'medium' || think === 'high') return think;
  if (think === 'max') return 'high';
  throw invalidField('/think', 'must be true, false, low, medium or high');
}

function readFormat(format: unknown): TurnSettings['format'] {
  if (format === undefined || format === null || format === '') return null;
  if (format === 'json' || isObject(format)) return format;
  throw invalidField('/format', 'must be "json" or a JSON Schema');
}

function readGivenTools({ tools }: OllamaChatBody): GivenTool[] {
  return (tools ?? []).map((tool, index) => {
    const path = `/tools/${index}/function`;
    const { function: described } = tool;
    if (!isObject(described)) throw invalidField(path, 'must be an object');
    const { parameters } = described;
    return {
      name: readText(described['name'], `${path}/name`),
      description: readText(described['description'], `${path}/description`),
      schema: isObject(parameters) ? parameters : null,
      path,
    };
  });
}
