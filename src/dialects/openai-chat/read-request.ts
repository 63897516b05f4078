// The body of `POST /v1/chat/completions` → what was said, and how it is to be answered. Pure.
import type { ToolChoice } from '../../chat/answer-wishes.ts';
import { invalidField } from '../../contract/errors.ts';
import { type History, type SaidCall, type SaidMessage, toHistory } from '../history.ts';
import { isObject, type JsonObject, readArguments, readContent, readText } from '../read-content.ts';
import {
  chooseTools,
  type GivenTool,
  readEffort,
  readOptions,
  readTools,
  refuseParameter,
  type TurnSettings,
  USUAL_SETTINGS,
} from '../settings.ts';
import type { ChatCompletionBody } from './request-body.ts';

export interface ChatCompletionRequest {
  readonly model: string;
  readonly isStream: boolean;
  /** A last chunk tells how many tokens it took. */
  readonly wantsUsage: boolean;
  readonly history: History;
  readonly settings: TurnSettings;
}

/** @throws MochiError validation_error, unsupported_parameter, image_url_not_supported */
export function readRequest(body: ChatCompletionBody): ChatCompletionRequest {
  refuseUnsupported(body);
  return {
    model: body.model,
    isStream: body.stream ?? false,
    wantsUsage: body.stream_options?.include_usage ?? false,
    history: toHistory(body.messages.map((message, index) => readMessage(message, `/messages/${index}`))),
    settings: readSettings(body),
  };
}

function refuseUnsupported(body: ChatCompletionBody): void {
  if ((body.n ?? 1) > 1) refuseParameter('n', 'one answer at a time is made');
  if (body.logprobs === true) refuseParameter('logprobs', 'engines do not tell probabilities');
  if ((body.top_logprobs ?? 0) > 0) refuseParameter('top_logprobs', 'engines do not tell probabilities');
  if (Object.keys(body.logit_bias ?? {}).length > 0) refuseParameter('logit_bias', 'engines cannot do it');
  if ((body.functions ?? []).length > 0) refuseParameter('functions', 'send tools');
  if (body.function_call != null) refuseParameter('function_call', 'send tool_choice');
  if (body.modalities?.includes('audio')) refuseParameter('modalities', 'answers are text');
  if (body.prediction != null) refuseParameter('prediction', 'engines cannot do it');
}

function readMessage(message: JsonObject, path: string): SaidMessage {
  const { role } = message;
  const { text: content, images } = readContent(message['content'], `${path}/content`);
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content };
    case 'user':
      return { role, content, images };
    case 'assistant':
      return { role, content, thinking: readThinking(message, path), toolCalls: readCalls(message, path) };
    case 'tool':
    case 'function':
      return { role: 'tool', content, ...readResult(message, path) };
    default:
      throw invalidField(`${path}/role`, 'must be system, developer, user, assistant or tool');
  }
}

/** Whichever name a client has kept it under. */
function readThinking(message: JsonObject, path: string): string {
  const name = ['reasoning_content', 'reasoning', 'thinking'].find((field) => message[field] != null);
  return name === undefined || isObject(message[name]) ? '' : readText(message[name], `${path}/${name}`);
}

function readCalls(message: JsonObject, path: string): SaidCall[] {
  const { tool_calls: given, function_call: old } = message;
  if (given == null) return isObject(old) ? [readCall({ function: old }, `${path}/function_call`)] : [];
  if (!Array.isArray(given)) throw invalidField(`${path}/tool_calls`, 'must be a list');
  return given.map((call, index) => readCall(call, `${path}/tool_calls/${index}`));
}

function readCall(call: unknown, path: string): SaidCall {
  const called = isObject(call) ? (call['function'] ?? call['custom']) : null;
  if (!isObject(call) || !isObject(called) || typeof called['name'] !== 'string') {
    throw invalidField(path, 'must have a function with a name');
  }
  const { id } = call;
  return {
    id: typeof id === 'string' && id !== '' ? id : null,
    name: called['name'],
    arguments: readArguments(called['arguments'] ?? called['input']),
  };
}

function readResult(message: JsonObject, path: string): Pick<SaidMessage, 'toolCallId' | 'toolName'> {
  const id = readText(message['tool_call_id'], `${path}/tool_call_id`);
  const name = readText(message['name'], `${path}/name`);
  return { ...(id !== '' && { toolCallId: id }), ...(name !== '' && { toolName: name }) };
}

function readSettings(body: ChatCompletionBody): TurnSettings {
  const { tools, choice } = readChoice(body);
  return {
    ...USUAL_SETTINGS,
    ...readOptions(body.options, {
      num_predict: body.max_completion_tokens ?? body.max_tokens,
      temperature: body.temperature,
      top_p: body.top_p,
      top_k: body.top_k,
      min_p: body.min_p,
      seed: body.seed,
      stop: body.stop,
      presence_penalty: body.presence_penalty,
      frequency_penalty: body.frequency_penalty,
      repeat_penalty: body.repetition_penalty,
    }),
    think: readEffort(body.reasoning_effort ?? body.reasoning?.effort),
    format: readFormat(body.response_format ?? null),
    ...chooseTools(readTools(tools), choice),
    isParallel: body.parallel_tool_calls ?? true,
  };
}

function readFormat(format: JsonObject | null): TurnSettings['format'] {
  if (format === null || format['type'] === 'text') return null;
  if (format['type'] === 'json_object') return 'json';
  if (format['type'] !== 'json_schema') {
    throw invalidField('/response_format/type', 'must be text, json_object or json_schema');
  }
  const { json_schema: named } = format;
  if (!isObject(named)) throw invalidField('/response_format/json_schema', 'must be an object');
  if (named['schema'] == null) return 'json';
  if (isObject(named['schema'])) return named['schema'];
  throw invalidField('/response_format/json_schema/schema', 'must be a JSON Schema');
}

/** Tools that are no functions are not offered. */
function readGivenTools({ tools }: ChatCompletionBody): GivenTool[] {
  return (tools ?? []).flatMap((tool, index) => {
    const path = `/tools/${index}/function`;
    if (tool['type'] !== undefined && tool['type'] !== 'function') return [];
    const { function: described } = tool;
    if (!isObject(described)) throw invalidField(path, 'must be an object');
    const { parameters } = described;
    if (parameters != null && !isObject(parameters)) {
      throw invalidField(`${path}/parameters`, 'must be a JSON Schema of an object');
    }
    return [
      {
        name: readText(described['name'], `${path}/name`),
        description: readText(described['description'], `${path}/description`),
        schema: parameters,
        path,
      },
    ];
  });
}

function readChoice(body: ChatCompletionBody): {
  readonly tools: readonly GivenTool[];
  readonly choice: ToolChoice;
} {
  const tools = readGivenTools(body);
  const { tool_choice: choice } = body;
  if (choice == null) return { tools, choice: 'auto' };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, choice };
  if (choice === 'any') return { tools, choice: 'required' };
  if (isObject(choice) && isObject(choice['function']) && typeof choice['function']['name'] === 'string') {
    return { tools, choice: { name: choice['function']['name'] } };
  }
  const { allowed_tools: allowed } = isObject(choice) ? choice : {};
  if (isObject(allowed) && Array.isArray(allowed['tools'])) {
    const names = new Set(allowed['tools'].map(nameOf));
    return {
      tools: tools.filter(({ name }) => names.has(name)),
      choice: allowed['mode'] === 'required' ? 'required' : 'auto',
    };
  }
  throw invalidField('/tool_choice', 'must be auto, none, required, or name a function');
}

function nameOf(tool: unknown): unknown {
  return isObject(tool) && isObject(tool['function']) ? tool['function']['name'] : null;
}
