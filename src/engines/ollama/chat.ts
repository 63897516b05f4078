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
import type { BodyReader, HttpAnswer } from './http-answer.ts';
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
  return (request, signal) => new ChatAnswer({ deps, call, request, signal });
}

type Chunks = readonly EngineChunk[];
type Step = IteratorResult<Chunks, void>;

const END: Step = { done: true, value: undefined };

interface Asked {
  readonly deps: OllamaChatDeps;
  readonly call: StreamedCall;
  readonly request: EngineChatRequest;
  readonly signal: AbortSignal;
}

/** Has a lifetime: from the first read to the end of the answer, a failure, or whoever stops reading. */
class ChatAnswer implements AsyncIterableIterator<Chunks, void>, BodyReader<Step> {
  readonly #deps: OllamaChatDeps;
  readonly #call: StreamedCall;
  readonly #signal: AbortSignal;
  /** Null: it was asked. It may be long, and is not held while the answer is waited for. */
  #request: EngineChatRequest | null;
  /** Null: nothing was sent. */
  #answer: HttpAnswer | null = null;
  readonly #lines = new NdjsonLines(MAX_ANSWER_BYTES);
  #deadline: Deadline | null = null;
  #phase: 'first_token' | 'idle' = 'first_token';
  #hasExpired = false;
  #hasAnswered = false;
  #characters = 0;
  /** What follows the last chunks: the end, or a failure. */
  #next: 'chunks' | 'end' | MochiError = 'chunks';

  constructor({ deps, call, request, signal }: Asked) {
    this.#deps = deps;
    this.#call = call;
    this.#request = request;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws MochiError; the reason of the signal */
  next(): Promise<Step> {
    const [request, answer] = [this.#request, this.#answer];
    if (request !== null) return this.#ask(request);
    if (this.#next === 'end' || answer === null) return Promise.resolve(END);
    return this.#next === 'chunks' ? answer.read(this) : Promise.reject(this.fail(this.#next));
  }

  return(): Promise<Step> {
    this.#close();
    return Promise.resolve(END);
  }

  async #ask(request: EngineChatRequest): Promise<Step> {
    const { deadlines } = this.#deps;
    this.#request = null;
    this.#deadline = startDeadline(deadlines.firstTokenTimeoutSeconds * 1000, () => {
      this.#hasExpired = true;
      this.#answer?.cancel(OVER);
    });
    const onSent = (answer: HttpAnswer) => {
      this.#answer = answer;
    };
    try {
      const answer = await openChat(this.#deps, this.#call, request, { signal: this.#signal, onSent });
      this.#hasAnswered = true;
      answer.forgetHead();
    } catch (error) {
      throw this.fail(error);
    }
    return this.next();
  }

  take(bytes: Buffer | null): Step | null {
    const lines = this.#lines;
    const { isSilent, chunks, failure } = toBatch(lines.read(bytes).map(this.#call.toChatLine));
    if (!isSilent) {
      this.#phase = 'idle';
      this.#deadline?.extend(this.#deps.deadlines.idleTimeoutSeconds * 1000);
    }
    this.#characters += lengthOf(chunks);
    if (chunks.at(-1)?.type === 'done') this.#complete();
    if (this.#characters > MAX_ANSWER_CHARACTERS) throw endless();
    if (this.#next !== 'end') this.#next = failure ?? endOf(lines) ?? 'chunks';
    if (chunks.length > 0) return { done: false, value: chunks };
    if (this.#next instanceof MochiError) throw this.#next;
    return null;
  }

  fail(error: unknown): unknown {
    const { deadlines, http } = this.#deps;
    const [phase, hasAnswered] = [this.#phase, this.#hasAnswered];
    this.#close();
    if (this.#signal.aborted) return this.#signal.reason;
    if (this.#hasExpired) {
      const { firstTokenTimeoutSeconds, idleTimeoutSeconds } = deadlines;
      return timedOut(phase === 'idle' ? idleTimeoutSeconds : firstTokenTimeoutSeconds, phase);
    }
    if (error instanceof MochiError) return error;
    return hasAnswered ? broken(error) : unreachable(error, http.address);
  }

  #complete(): void {
    this.#deadline?.stop();
    this.#next = 'end';
    if (this.#answer !== null) drain(this.#answer);
  }

  /** Nothing more is read. */
  #close(): void {
    this.#deadline?.stop();
    if (this.#next !== 'end') this.#answer?.cancel(OVER);
    this.#request = null;
    this.#next = 'end';
  }
}

/** Why nothing follows; null: more may. */
function endOf({ failure, isOver }: NdjsonLines): MochiError | null {
  if (failure !== null) return garbled(failure.message);
  return isOver ? incomplete() : null;
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
  let chunks: EngineChunk[] = [];
  for (const line of lines) {
    const failure = failureOf(line);
    if (failure !== null) return { isSilent, chunks, failure };
    // Most are alone, and a list that grows from nothing takes room for seventeen at once.
    if (chunks.length === 0) chunks = toChunks(line);
    else chunks.push(...toChunks(line));
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
