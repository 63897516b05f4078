// What Ollama refuses after decoding, in its order: name, existence, thinking, completion and tools, options, prompt.
import type { RequestBody, RequestMessage } from './chat-request.ts';
import { type FakeModel, findModel, hasCapability } from './fake-model.ts';
import { exceedContextError } from './http-answer.ts';
import { fullName, isValidName } from './model-name.ts';
import { Refusal } from './refusal.ts';

/** The model of the request. */
export function requireModel(models: readonly FakeModel[], name: string | undefined): FakeModel {
  if (!name) throw new Refusal(400, 'model is required');
  if (!isValidName(name)) throw new Refusal(400, 'invalid model name');
  const model = findModel(models, name);
  if (!model) throw new Refusal(404, `model '${name}' not found`);
  return model;
}

export function checkCapabilities(model: FakeModel, body: RequestBody): void {
  if (body.think && !hasCapability(model, 'thinking')) {
    throw new Refusal(400, `${JSON.stringify(body.model)} does not support thinking`);
  }
  if (!hasCapability(model, 'completion')) {
    throw new Refusal(400, `${JSON.stringify(body.model)} does not support chat`);
  }
  if (body.tools?.length && !hasCapability(model, 'tools')) {
    throw new Refusal(400, `${fullName(model.name)} does not support tools`);
  }
}

/** For what stands between two texts. */
export function requireInsert(model: FakeModel): void {
  if (!hasCapability(model, 'insert')) {
    throw new Refusal(400, `${fullName(model.name)} does not support insert`);
  }
}

type OptionType = 'integer' | 'float32' | 'boolean' | 'array';

const namesByType: Readonly<Record<OptionType, string>> = {
  integer:
    'num_ctx num_batch num_gpu main_gpu num_thread draft_num_predict num_keep seed num_predict top_k repeat_last_n',
  float32: 'temperature top_p min_p typical_p repeat_penalty presence_penalty frequency_penalty',
  boolean: 'use_mmap',
  array: 'stop',
};

function optionType(name: string): OptionType | undefined {
  const types: readonly OptionType[] = ['integer', 'float32', 'boolean', 'array'];
  return types.find((type) => namesByType[type].split(' ').includes(name));
}

/** Wrong types are HTTP 500, unknown names and null are nothing at all. */
export function checkOptions(body: RequestBody): void {
  for (const [name, value] of Object.entries(body.options ?? {})) {
    const type = optionType(name);
    if (value === null || type === undefined) continue;
    const fits = {
      integer: typeof value === 'number',
      float32: typeof value === 'number',
      boolean: typeof value === 'boolean',
      array: Array.isArray(value),
    }[type];
    if (!fits) throw new Refusal(500, `option "${name}" must be of type ${type}`);
    if (Array.isArray(value) && value.some((item) => typeof item !== 'string')) {
      throw new Refusal(500, `option "${name}" must be of an array of strings`);
    }
  }
  const { format } = body;
  const isSchema = typeof format === 'object' && !Array.isArray(format);
  if (format === undefined || format === '' || format === 'json' || isSchema) return;
  const shown = JSON.stringify(JSON.stringify(format));
  throw new Refusal(500, `invalid format: ${shown}; expected "json" or a valid JSON Schema object`);
}

/**
 * How many tokens of the prompt the model gets to see. Ollama cuts a long one without a word, to about half the
 * window; with `truncate: false` or `shift: false` it refuses instead.
 */
export function fitPrompt(model: FakeModel, body: RequestBody, window: number): number {
  const messages = body.messages ?? [];
  const hasImages = messages.some(({ images }) => images?.length);
  if (hasImages && !hasCapability(model, 'vision')) {
    throw new Refusal(500, 'this model is missing data required for image input');
  }
  if (model.strictTemplate) checkTemplate(messages);
  // SYSTEM of the Modelfile comes first, unless the request has one of its own.
  const own = messages[0]?.role === 'system' ? [] : [{ content: model.system ?? '' }];
  const needed = Math.max(1, estimateTokens([...own, ...messages]));
  if (needed <= window) return needed;
  if (body.truncate === false) throw new Refusal(400, exceedContextError(needed, window));
  if (body.shift === false) {
    const advice =
      'shorten the prompt, adjust the context length in settings, or use a model with a longer context';
    const text = `the prompt is longer than the context length currently available to the model; ${advice} length`;
    throw new Refusal(400, text);
  }
  return Math.floor(window / 2) + 2;
}

/** Four characters a token, a digit or a character beyond ASCII one of its own, 768 tokens an image. */
function estimateTokens(messages: readonly RequestMessage[]): number {
  let text = '';
  let calls = 0;
  let images = 0;
  for (const message of messages) {
    text += (message.content ?? '') + (message.thinking ?? '');
    if (message.tool_calls) calls += JSON.stringify(message.tool_calls).length;
    images += message.images?.length ?? 0;
  }
  const dense = text.match(/[0-9\u{80}-\u{10ffff}]/gu)?.length ?? 0;
  return Math.ceil((text.length - dense + calls) / 4) + dense + images * 768;
}

function checkTemplate(messages: readonly RequestMessage[]): void {
  const roles = messages.map((message) => message.role?.toLowerCase());
  if (roles.lastIndexOf('system') > 0) throw new Refusal(400, 'System message must be at the beginning');
  if (!roles.includes('user')) throw new Refusal(400, 'no user query found in messages');
  let openCalls = 0;
  for (const [position, message] of messages.entries()) {
    const isResult = roles[position] === 'tool';
    openCalls = isResult ? openCalls - 1 : (message.tool_calls?.length ?? 0);
    if (openCalls < 0) {
      throw new Refusal(
        400,
        'Message has tool role, but there was no previous assistant message with a tool call!',
      );
    }
  }
}
