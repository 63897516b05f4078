// One chat with Ollama: a stream with deadlines of its own, aborted at once, and with an end whatever is sent.
import type { Engine, EngineChatRequest, EngineChunk } from '../../contract/engine.ts';
import { MochiError, PART_IS_KEPT } from '../../contract/errors.ts';
import { OVER } from '../../kit/over.ts';
import { cutText } from '../../kit/whole-characters.ts';
import { type Deadline, startDeadline } from '../deadline.ts';
import { inventoryOf } from '../inventory.ts';
import { sendOllama } from './ask-ollama.ts';
import {
  broken,
  fromStream,
  garbled,
  incomplete,
  isRefusal,
  notSupported,
  timedOut,
  unreachable,
} from './failures.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { OllamaModels } from './models.ts';
import type { OllamaHttp, OllamaRequest } from './ollama-http.ts';
import { NdjsonLines } from './read-ndjson.ts';
import { errorText, isRecord, toChatBody, toChunks } from './wire.ts';

export interface OllamaChatDeps {
  readonly http: OllamaHttp;
  readonly models: OllamaModels;
  readonly deadlines: { readonly firstTokenTimeoutSeconds: number; readonly idleTimeoutSeconds: number };
}

/** After the last line the connection is good for the next chat, if its end comes soon. */
const DRAIN_TIMEOUT_MS = 1000;
/** Text, thoughts and calls of one answer: four million tokens, more than any window holds. */
const MAX_ANSWER_CHARACTERS = 16 * 1024 * 1024;
/** The same with the frame that every token comes in, and for lines that say nothing. */
const MAX_ANSWER_BYTES = 64 * MAX_ANSWER_CHARACTERS;

/** The two calls that answer in a stream. */
interface StreamedCall {
  readonly path: string;
  readonly toBody: (request: EngineChatRequest) => Record<string, unknown>;
  /** A line of the answer, as a chat says it. */
  readonly toChatLine: (line: unknown) => unknown;
}

const CHAT: StreamedCall = { path: '/api/chat', toBody: toChatBody, toChatLine: (line) => line };

/** @param call what is asked of Ollama: a chat unless stated */
export function createChat(deps: OllamaChatDeps, call: StreamedCall = CHAT): Engine['chat'] {
  const { http, deadlines } = deps;
  return chat;

  async function* chat(
    request: EngineChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void> {
    const sent: { answer: HttpAnswer | null } = { answer: null };
    const onSent = (answer: HttpAnswer) => {
      sent.answer = answer;
    };
    let phase: 'first_token' | 'idle' = 'first_token';
    let expired = false;
    const deadline = startDeadline(deadlines.firstTokenTimeoutSeconds * 1000, () => {
      expired = true;
      sent.answer?.cancel(OVER);
    });
    const seconds = () =>
      phase === 'first_token' ? deadlines.firstTokenTimeoutSeconds : deadlines.idleTimeoutSeconds;
    let isComplete = false;
    let hasAnswered = false;
    let characters = 0;
    try {
      const response = await openChat(deps, call, request, { signal, onSent });
      hasAnswered = true;
      const lines = new NdjsonLines(MAX_ANSWER_BYTES);
      // Its bytes and their lines are not held here while the next ones are waited for.
      const toNext = (bytes: Buffer | null) => toBatch(lines.read(bytes).map(call.toChatLine));
      for (;;) {
        const { isSilent, chunks, failure } = await response.read(toNext);
        if (!isSilent) {
          phase = 'idle';
          deadline.extend(deadlines.idleTimeoutSeconds * 1000);
        }
        isComplete = chunks.at(-1)?.type === 'done';
        if (isComplete) drain(response);
        characters += lengthOf(chunks);
        if (characters > MAX_ANSWER_CHARACTERS) throw endless();
        if (chunks.length > 0) yield chunks;
        if (isComplete) return;
        if (failure !== null) throw failure;
        if (lines.failure !== null) throw garbled(lines.failure.message);
        if (lines.isOver) throw incomplete();
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (expired) throw timedOut(seconds(), phase);
      if (error instanceof MochiError) throw error;
      throw hasAnswered ? broken(error) : unreachable(error, http.address);
    } finally {
      deadline.stop();
      if (!isComplete) sent.answer?.cancel(OVER);
    }
  }
}

async function openChat(
  deps: OllamaChatDeps,
  call: StreamedCall,
  request: EngineChatRequest,
  sending: Pick<OllamaRequest, 'signal' | 'onSent'>,
): Promise<HttpAnswer> {
  const body = call.toBody(request);
  try {
    return await sendOllama(deps.http, { method: 'POST', path: call.path, body, ...sending });
  } catch (error) {
    if (!(error instanceof MochiError)) throw error;
    // Models that think in other steps than asked refuse the whole request; an answer without thinking is better.
    if (error.details['status'] === 400 && request.think !== false && /think/i.test(error.message)) {
      if (/not support/i.test(error.message)) await deps.models.noteLack(request.model, 'thinking');
      return openChat(deps, call, { ...request, think: false }, sending);
    }
    if (isBlind(error, request) && (await deps.models.noteLack(request.model, 'vision'))) {
      const text = `The model ${request.model} does not accept images: ${error.message}. Choose one with vision, or send text only.`;
      throw new MochiError('images_not_supported', text, { model: request.model });
    }
    if (isToolless(error, request) && (await deps.models.noteLack(request.model, 'tools'))) {
      throw new MochiError(
        'tools_not_supported',
        `The model ${request.model} cannot call tools: ${error.message}.`,
        {
          model: request.model,
        },
      );
    }
    if (request.completion !== undefined && isRefusal(error)) throw notSupported(error, request.model);
    if (error.kind !== 'model_not_found') throw error;
    deps.models.forget(request.model);
    const installed = await inventoryOf(deps.models.list);
    throw new MochiError(error.kind, `${error.message}. ${installed}`, { model: request.model });
  }
}

/** A model without the part that sees; other refusals of an image are about the image. */
function isBlind({ message }: MochiError, { messages }: EngineChatRequest): boolean {
  const isAboutModel =
    /missing data required for image|(image|vision|multimodal)[^.]*(unsupported|not supported)|not support[^.]*(image|vision)/i;
  return messages.some(({ images }) => images?.length) && isAboutModel.test(message);
}

/** A server that lists no capabilities says so only when it is asked. */
function isToolless({ message }: MochiError, { tools = [] }: EngineChatRequest): boolean {
  return tools.length > 0 && /not support[^.]*tools/i.test(message);
}

interface Batch {
  /** No line was completed. */
  readonly isSilent: boolean;
  readonly chunks: EngineChunk[];
  readonly failure: MochiError | null;
}

/** The chunks of what one read brought, up to the end of the answer or to a line that fails it. */
function toBatch(lines: readonly unknown[]): Batch {
  const isSilent = lines.length === 0;
  const chunks: EngineChunk[] = [];
  for (const line of lines) {
    const failure = failureOf(line);
    if (failure !== null) return { isSilent, chunks, failure };
    chunks.push(...toChunks(line));
    if (chunks.at(-1)?.type === 'done') break;
  }
  return { isSilent, chunks, failure: null };
}

/** A line that is an error, or neither an error nor a part of an answer. */
function failureOf(line: unknown): MochiError | null {
  const text = errorText(line);
  if (text !== null) return fromStream(text);
  if (isRecord(line) && ('message' in line || 'done' in line)) return null;
  return garbled(`A line is neither a part of an answer nor an error: ${cutText(JSON.stringify(line), 200)}`);
}

/** Reads the end of a finished answer in the background, so that the connection can serve the next one. */
function drain(response: HttpAnswer): void {
  const timer: Deadline = startDeadline(DRAIN_TIMEOUT_MS, () => response.cancel(OVER));
  void (async () => {
    try {
      while (!(await response.next()).done);
    } catch {
      // Nobody waits for it: the answer is complete.
    } finally {
      timer.stop();
    }
  })();
}

function lengthOf(chunks: readonly EngineChunk[]): number {
  let length = 0;
  for (const chunk of chunks) {
    if (chunk.type === 'content' || chunk.type === 'thinking') length += chunk.text.length;
    else if (chunk.type === 'tool_call') length += JSON.stringify(chunk.call).length;
  }
  return length;
}

function endless(): MochiError {
  return new MochiError(
    'ollama_error',
    `The answer of Ollama has no end: it was stopped after ${MAX_ANSWER_CHARACTERS} characters${PART_IS_KEPT}.`,
  );
}
