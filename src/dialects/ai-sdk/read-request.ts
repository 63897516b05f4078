// The body of `POST /ai/chat` → what is asked for. Pure.
import type { Think } from '../../contract/engine.ts';
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
import { chooseTools, readOptions, readTools, type TurnSettings, USUAL_SETTINGS } from '../settings.ts';
import type { UiChatBody } from './chat-body.ts';

/** A UI message as far as it is read. */
export interface GivenMessage {
  readonly id: string | null;
  readonly role: 'system' | 'user' | 'assistant';
  /** As our messages: an assistant's is one for each of its steps, and the results of its calls. */
  readonly said: readonly SaidMessage[];
  /** Outputs of calls that the client has run. */
  readonly results: readonly {
    readonly callId: string;
    readonly content: string;
    readonly isError: boolean;
  }[];
  /** What a person has decided about calls that run here. */
  readonly decisions: readonly {
    readonly approvalId: string;
    readonly isApproved: boolean;
    readonly reason: string | null;
  }[];
}

export interface UiRequest {
  readonly messages: readonly GivenMessage[];
  readonly isRegenerate: boolean;
  /** With regenerate: the answer that is made anew; else the message that is edited. Null: the last. */
  readonly messageId: string | null;
  readonly system: string | null;
  readonly settings: TurnSettings;
}

/** @throws MochiError validation_error, image_url_not_supported */
export function readRequest(body: UiChatBody): UiRequest {
  const given = body.messages ?? (body.message == null ? [] : [body.message]);
  const path = body.messages == null ? '/message' : '/messages';
  if (given.length === 0) throw invalidField(path, 'must have a message');
  const trigger = body.trigger ?? 'submit-message';
  if (trigger !== 'submit-message' && trigger !== 'regenerate-message') {
    throw invalidField('/trigger', 'must be submit-message or regenerate-message');
  }
  return {
    messages: given.map((message, index) =>
      readMessage(message, body.messages == null ? path : `${path}/${index}`),
    ),
    isRegenerate: trigger === 'regenerate-message',
    messageId: body.messageId ?? null,
    system: body.system ?? null,
    settings: readSettings(body),
  };
}

function readSettings(body: UiChatBody): TurnSettings {
  const tools = (body.tools ?? []).map((tool, index) => {
    const path = `/tools/${index}`;
    const { inputSchema: schema } = tool;
    if (schema != null && !isObject(schema)) {
      throw invalidField(`${path}/inputSchema`, 'must be a JSON Schema of an object');
    }
    return {
      name: readText(tool['name'], `${path}/name`),
      description: readText(tool['description'], `${path}/description`),
      schema,
      path,
    };
  });
  return {
    ...USUAL_SETTINGS,
    ...readOptions(body.options),
    think: readThink(body.think),
    format: readFormat(body.format),
    ...chooseTools(readTools(tools), 'auto'),
    truncation: 'leave_out',
  };
}

function readThink(think: unknown): Think | null {
  if (think == null) return null;
  if (typeof think === 'boolean' || think === 'low' || think === 'medium' || think === 'high') return think;
  throw invalidField('/think', 'must be true, false, low, medium or high');
}

function readFormat(format: unknown): TurnSettings['format'] {
  if (format == null) return null;
  if (format === 'json' || isObject(format)) return format;
  throw invalidField('/format', 'must be json or a JSON Schema');
}

function readMessage(message: JsonObject, path: string): GivenMessage {
  const { id, role, parts } = message;
  if (role !== 'system' && role !== 'user' && role !== 'assistant') {
    throw invalidField(`${path}/role`, 'must be system, user or assistant');
  }
  // Of version 4 and of scripts: a text alone.
  const given = parts ?? [{ type: 'text', text: readText(message['content'], `${path}/content`) }];
  if (!Array.isArray(given)) throw invalidField(`${path}/parts`, 'must be a list');
  const list = given.map((part, index) => {
    if (isObject(part)) return { part, path: `${path}/parts/${index}` };
    throw invalidField(`${path}/parts/${index}`, 'must be an object');
  });
  return {
    id: typeof id === 'string' && id !== '' ? id : null,
    role,
    said: role === 'assistant' ? readSteps(list) : [readSaid(role, list, path)],
    results: list.flatMap(({ part }) => readResult(part)),
    decisions: list.flatMap(({ part }) => readDecision(part)),
  };
}

interface PlacedPart {
  readonly part: JsonObject;
  readonly path: string;
}

function readSaid(role: 'system' | 'user', parts: readonly PlacedPart[], path: string): SaidMessage {
  const texts = parts.filter(({ part }) => part['type'] === 'text');
  const files = parts.filter(({ part }) => part['type'] === 'file');
  return {
    role,
    content: texts.map((text) => readText(text.part['text'], `${text.path}/text`)).join('\n'),
    images: checkImages(
      files.map((file) => readFile(file)),
      `${path}/parts`,
    ),
  };
}

function readFile({ part, path }: PlacedPart): string {
  const { mediaType, url } = part;
  if (typeof mediaType === 'string' && !mediaType.startsWith('image/')) {
    throw invalidField(`${path}/mediaType`, 'must be an image: other files cannot be read');
  }
  return readImage(readText(url, `${path}/url`), `${path}/url`);
}

/** Each step is a message of the model, and the outputs of its calls are messages of tools. */
function readSteps(parts: readonly PlacedPart[]): SaidMessage[] {
  const said: SaidMessage[] = [];
  let step: { content: string; thinking: string; toolCalls: SaidCall[]; results: SaidMessage[] } | null =
    null;
  const endStep = () => {
    if (step === null) return;
    const { content, thinking, toolCalls, results } = step;
    if (content !== '' || thinking !== '' || toolCalls.length > 0) {
      said.push(
        { role: 'assistant', content, thinking, ...(toolCalls.length > 0 && { toolCalls }) },
        ...results,
      );
    }
    step = null;
  };
  for (const { part, path } of parts) {
    const { type } = part;
    if (type === 'step-start') endStep();
    step ??= { content: '', thinking: '', toolCalls: [], results: [] };
    if (type === 'text') step.content += readText(part['text'], `${path}/text`);
    else if (type === 'reasoning') step.thinking += readText(part['text'], `${path}/text`);
    else if (isToolPart(part)) {
      const call = readCall(part);
      step.toolCalls.push(call);
      step.results.push(...outputOf(part).map(({ content }) => toolMessage(call, content)));
    }
  }
  endStep();
  return said;
}

function isToolPart({ type }: JsonObject): boolean {
  return typeof type === 'string' && (type === 'dynamic-tool' || type.startsWith('tool-'));
}

function nameOf({ type, toolName }: JsonObject): string {
  return type === 'dynamic-tool' ? String(toolName) : String(type).slice('tool-'.length);
}

function readCall(part: JsonObject): SaidCall {
  const { toolCallId } = part;
  return {
    id: typeof toolCallId === 'string' ? toolCallId : null,
    name: nameOf(part),
    arguments: readArguments(part['input']),
  };
}

function toolMessage({ id, name }: SaidCall, content: string): SaidMessage {
  return { role: 'tool', content, toolName: name, ...(id !== null && { toolCallId: id }) };
}

function outputOf(part: JsonObject): readonly { readonly content: string; readonly isError: boolean }[] {
  const { state, output, errorText } = part;
  if (state === 'output-available') {
    return [
      { content: typeof output === 'string' ? output : JSON.stringify(output ?? null), isError: false },
    ];
  }
  if (state === 'output-error')
    return [{ content: typeof errorText === 'string' ? errorText : '', isError: true }];
  return [];
}

/** Of calls of the client: those that ran here are known. */
function readResult(part: JsonObject): GivenMessage['results'] {
  const { toolCallId: callId, providerExecuted } = part;
  if (!isToolPart(part) || providerExecuted === true || typeof callId !== 'string') return [];
  return outputOf(part).map((output) => ({ callId, ...output }));
}

function readDecision(part: JsonObject): GivenMessage['decisions'] {
  const { state, approval } = part;
  if (!isToolPart(part) || state !== 'approval-responded' || !isObject(approval)) return [];
  const { id, approved, reason } = approval;
  if (typeof id !== 'string' || typeof approved !== 'boolean') return [];
  return [{ approvalId: id, isApproved: approved, reason: typeof reason === 'string' ? reason : null }];
}
