// The body of /api/chat as Go's decoder takes it: what has a wrong type is refused with the decoder's text.
import { keepAliveMs } from './duration.ts';
import { jsonKind } from './go-json.ts';
import { Refusal } from './refusal.ts';

/** A message of the request. */
export type RequestMessage = {
  readonly role?: string;
  readonly content?: string | null;
  readonly thinking?: string;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly {
    readonly id?: string;
    readonly function: { readonly name: string; readonly arguments: unknown; readonly index?: number };
  }[];
  readonly tool_name?: string;
  readonly tool_call_id?: string;
};

/** A tool that the request offers. */
export type OfferedTool = {
  readonly type?: string;
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  };
};

/** The JSON body of a request, with the keys of /api/chat and /api/show. */
export type RequestBody = {
  readonly model?: string;
  readonly name?: string;
  readonly messages?: readonly RequestMessage[];
  readonly stream?: boolean;
  readonly think?: boolean | string;
  readonly tools?: readonly OfferedTool[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly format?: unknown;
  readonly keep_alive?: number | string;
  readonly truncate?: boolean;
  readonly shift?: boolean;
};

/** The keys of /api/generate that /api/chat has not. */
export type GenerateBody = RequestBody & {
  readonly prompt?: string;
  readonly suffix?: string;
  readonly system?: string;
  readonly images?: readonly string[];
  readonly raw?: boolean;
  readonly template?: string;
  readonly context?: readonly number[];
};

/** Parses and checks the types of an /api/generate body. */
export function parseGenerateBody(rawBody: string): GenerateBody {
  const body: GenerateBody = parseChatBody(rawBody);
  for (const key of ['prompt', 'suffix', 'system', 'template'] as const) {
    expectKind(body[key], 'string', key, 'string');
  }
  expectKind(body.raw, 'bool', 'raw', 'bool');
  expectKind(body.context, 'array', 'context', '[]int');
  for (const image of body.images ?? []) checkImage(image);
  return body;
}

/** Parses JSON, or refuses like Ollama. */
export function parseBody(rawBody: string): RequestBody {
  if (rawBody === '') throw new Refusal(400, 'missing request body');
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    const looksCut = /^[[{"]/.test(rawBody) && !/[\]}"]\s*$/.test(rawBody);
    const text = `invalid character '${rawBody.charAt(0)}' looking for beginning of value`;
    throw new Refusal(400, looksCut ? 'unexpected EOF' : text);
  }
  if (jsonKind(body) !== 'object') throw mismatch(body, '', 'api.ChatRequest');
  return body as RequestBody; // The callers check the keys they use.
}

/** Parses and checks the types of an /api/chat body. */
export function parseChatBody(rawBody: string): RequestBody {
  const body = parseBody(rawBody);
  expectKind(body.model, 'string', 'model', 'string');
  expectKind(body.messages, 'array', 'messages', '[]api.Message');
  expectKind(body.stream, 'bool', 'stream', 'bool');
  expectKind(body.tools, 'array', 'tools', 'api.Tools');
  expectKind(body.options, 'object', 'options', 'map[string]interface {}');
  expectKind(body.truncate, 'bool', 'truncate', 'bool');
  expectKind(body.shift, 'bool', 'shift', 'bool');
  for (const message of body.messages ?? []) checkMessage(message);
  for (const tool of body.tools ?? []) expectKind(tool, 'object', 'tools', 'api.Tool');
  checkThink(body.think);
  if (body.keep_alive != null) keepAliveMs(body.keep_alive);
  return body;
}

function checkMessage(message: RequestMessage): void {
  expectKind(message, 'object', 'messages', 'api.Message');
  for (const key of ['role', 'content', 'thinking', 'tool_name', 'tool_call_id'] as const) {
    expectKind(message[key], 'string', `messages.${key}`, 'string');
  }
  expectKind(message.images, 'array', 'messages.images', '[]api.ImageData');
  for (const image of message.images ?? []) checkImage(image);
  expectKind(message.tool_calls, 'array', 'messages.tool_calls', '[]api.ToolCall');
  for (const call of message.tool_calls ?? []) {
    expectKind(call.function, 'object', 'messages.tool_calls.function', 'api.ToolCallFunction');
    const kind = jsonKind(call.function?.arguments ?? null);
    if (kind !== 'object' && kind !== 'null') {
      throw new Refusal(400, "Value looks like object, but can't find closing '}' symbol");
    }
  }
}

/** Bare base64 only: in a data URI the colon at byte 4 is refused, in an https URL the one at byte 5. */
function checkImage(image: unknown): void {
  expectKind(image, 'string', 'messages.images', 'api.ImageData');
  const data = String(image).replace(/[\r\n]/g, '');
  const illegal = data.replace(/={1,2}$/, '').search(/[^A-Za-z0-9+/]/);
  if (illegal >= 0) throw new Refusal(400, `illegal base64 data at input byte ${illegal}`);
  if (data.length % 4 !== 0) throw new Refusal(400, `illegal base64 data at input byte ${data.length}`);
}

function checkThink(think: unknown): void {
  if (think == null || typeof think === 'boolean') return;
  if (typeof think === 'string' && ['high', 'medium', 'low', 'max'].includes(think)) return;
  const accepted = '(must be "high", "medium", "low", "max", true, or false)';
  if (typeof think === 'string') throw new Refusal(400, `invalid think value: "${think}" ${accepted}`);
  throw new Refusal(
    400,
    `think must be a boolean or string ("high", "medium", "low", "max", true, or false)`,
  );
}

/** Null reads as absent, for Go. */
function expectKind(value: unknown, kind: string, path: string, goType: string): void {
  if (value != null && jsonKind(value) !== kind) throw mismatch(value, path, goType);
}

function mismatch(value: unknown, path: string, goType: string): Refusal {
  const field = path === '' ? 'value' : `struct field ChatRequest.${path}`;
  return new Refusal(400, `json: cannot unmarshal ${jsonKind(value)} into Go ${field} of type ${goType}`);
}
