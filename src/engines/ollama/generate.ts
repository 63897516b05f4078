// A text completed by Ollama: `POST /api/generate`, in the stream of a chat. Facts: docs/api.md of ollama/ollama.
import type { Engine, EngineChatRequest } from '../../contract/engine.ts';
import { createChat, type OllamaChatDeps } from './chat.ts';
import { isRecord, toChatBody } from './wire.ts';

export function createComplete(deps: OllamaChatDeps): Engine['chat'] {
  return createChat(deps, { path: '/api/generate', toBody, toChatLine });
}

function toBody(request: EngineChatRequest): Record<string, unknown> {
  const { messages: _messages, tools: _tools, ...body } = toChatBody(request);
  const {
    prompt,
    suffix,
    raw,
    system,
    template,
    context,
    images = [],
  } = request.completion ?? { prompt: '' };
  return {
    ...body,
    prompt,
    ...(suffix !== undefined && { suffix }),
    ...(raw && { raw }),
    ...(system !== undefined && { system }),
    ...(template !== undefined && { template }),
    ...(context !== undefined && { context }),
    ...(images.length > 0 && { images }),
  };
}

function toChatLine(line: unknown): unknown {
  if (!isRecord(line) || 'error' in line) return line;
  const { response, thinking, ...rest } = line;
  return { ...rest, message: { content: response, thinking } };
}
