// The body of `POST /v1/responses` → what was said, where, and how it is to be answered. Pure.
import type { ToolChoice } from '../../chat/answer-wishes.ts';
import { invalidField, MochiError } from '../../contract/errors.ts';
import { type History, toHistory } from '../history.ts';
import { isObject, type JsonObject, readText } from '../read-content.ts';
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
import { echoTools, readOffered } from './custom-tools.ts';
import { toSessionId, toTurnId } from './ids.ts';
import { readInput } from './read-input.ts';
import type { ResponseBody } from './request-body.ts';
import type { RequestEcho } from './response-object.ts';

/** After what the request is to be put. */
export type ResponsePlace =
  | { readonly of: 'nothing' }
  | { readonly of: 'conversation'; readonly sessionId: string }
  | { readonly of: 'response'; readonly turnId: string }
  | { readonly of: 'item'; readonly itemId: string };

export interface ResponseRequest {
  readonly model: string;
  readonly isStream: boolean;
  readonly isStored: boolean;
  readonly place: ResponsePlace;
  readonly history: History;
  readonly settings: TurnSettings;
  readonly echo: RequestEcho;
}

/** @throws MochiError validation_error, unsupported_parameter, image_url_not_supported, session_not_found, turn_not_found */
export function readRequest(body: ResponseBody): ResponseRequest {
  refuseUnsupported(body);
  const { messages, afterItem } = readInput(body.input ?? []);
  const { settings, choice } = readSettings(body);
  const isStored = body.store ?? true;
  if (!isStored && body.background === true) {
    throw invalidField('/background', 'must not be true beside store: false: nobody could read it later');
  }
  return {
    model: body.model,
    isStream: body.stream ?? false,
    isStored,
    place: readPlace(body, afterItem),
    history: toHistory(messages, [body.instructions]),
    settings,
    echo: toEcho(body, choice),
  };
}

function refuseUnsupported(body: ResponseBody): void {
  if (body.prompt != null) refuseParameter('prompt', 'templates are not kept here');
  if ((body.top_logprobs ?? 0) > 0) refuseParameter('top_logprobs', 'engines do not tell probabilities');
}

/** @throws MochiError validation_error where it names two places */
function readPlace(body: ResponseBody, afterItem: string | null): ResponsePlace {
  const { conversation = null, previous_response_id: previous = null } = body;
  if (conversation !== null && previous !== null) {
    throw invalidField('/previous_response_id', 'must not be given beside conversation');
  }
  if (conversation !== null) {
    return {
      of: 'conversation',
      sessionId: requireSessionId(typeof conversation === 'string' ? conversation : conversation.id),
    };
  }
  if (previous !== null) return { of: 'response', turnId: requireTurnId(previous) };
  return afterItem === null ? { of: 'nothing' } : { of: 'item', itemId: afterItem };
}

/** @throws MochiError session_not_found */
export function requireSessionId(conversationId: string): string {
  const sessionId = toSessionId(conversationId);
  if (sessionId !== null) return sessionId;
  throw new MochiError('session_not_found', `Conversation with id '${conversationId}' not found.`);
}

/** @throws MochiError turn_not_found */
export function requireTurnId(responseId: string): string {
  const turnId = toTurnId(responseId);
  if (turnId !== null) return turnId;
  throw new MochiError('turn_not_found', `Response with id '${responseId}' not found.`);
}

function readSettings(body: ResponseBody): { readonly settings: TurnSettings; readonly choice: unknown } {
  const { tools, choice } = readChoice(body);
  const settings = {
    ...USUAL_SETTINGS,
    ...readOptions(null, {
      num_predict: body.max_output_tokens,
      temperature: body.temperature,
      top_p: body.top_p,
    }),
    think: readEffort(textIn(body.reasoning, 'effort')),
    format: readFormat(body.text?.['format']),
    ...chooseTools(readTools(tools), choice),
    isParallel: body.parallel_tool_calls ?? true,
    truncation: body.truncation === 'auto' ? 'leave_out' : 'refuse',
  } as const;
  return { settings, choice: body.tool_choice ?? 'auto' };
}

function readFormat(format: unknown): TurnSettings['format'] {
  if (format == null) return null;
  if (!isObject(format)) throw invalidField('/text/format', 'must be an object');
  if (format['type'] === 'text') return null;
  if (format['type'] === 'json_object') return 'json';
  if (format['type'] !== 'json_schema') {
    throw invalidField('/text/format/type', 'must be text, json_object or json_schema');
  }
  if (isObject(format['schema'])) return format['schema'];
  throw invalidField('/text/format/schema', 'must be a JSON Schema');
}

function readChoice({ tools: given, tool_choice: choice }: ResponseBody): {
  readonly tools: readonly GivenTool[];
  readonly choice: ToolChoice;
} {
  const tools = readOffered(given ?? []);
  if (choice == null) return { tools, choice: 'auto' };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { tools, choice };
  if (isObject(choice)) {
    const { type } = choice;
    if (type === 'function' || type === 'custom') return { tools, choice: { name: offeredName(choice) } };
    if (type === 'allowed_tools' && Array.isArray(choice['tools'])) {
      const allowed = new Set(choice['tools'].filter(isObject).map(offeredName));
      return {
        tools: tools.filter(({ name }) => allowed.has(name)),
        choice: choice['mode'] === 'required' ? 'required' : 'auto',
      };
    }
    if (typeof type === 'string') {
      throw invalidField('/tool_choice/type', `must name a function: ${type} is not offered here`);
    }
  }
  throw invalidField('/tool_choice', 'must be auto, none, required, or name a tool');
}

function offeredName(choice: JsonObject): string {
  const name = readText(choice['name'], '/tool_choice/name');
  const { namespace } = choice;
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}.${name}` : name;
}

function toEcho(body: ResponseBody, choice: unknown): RequestEcho {
  return {
    background: body.background ?? false,
    include: (body.include ?? []).filter((name) => typeof name === 'string'),
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    presence_penalty: 0,
    frequency_penalty: 0,
    previous_response_id: body.previous_response_id ?? null,
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: textIn(body.reasoning, 'effort'), summary: textIn(body.reasoning, 'summary') },
    safety_identifier: body.safety_identifier ?? null,
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: isObject(body.text?.['format']) ? body.text['format'] : { type: 'text' } },
    tool_choice: choice,
    tools: echoTools(body.tools ?? []),
    top_p: body.top_p ?? 1,
    truncation: body.truncation === 'auto' ? 'auto' : 'disabled',
    ...(body.user != null && { user: body.user }),
  };
}

function textIn(object: JsonObject | null | undefined, name: string): string | null {
  const value = object?.[name];
  return typeof value === 'string' ? value : null;
}
