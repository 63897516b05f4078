// Ollama behind the Engine interface: streaming chats with deadlines of their own, aborted at once.
import type { Dispatcher } from 'undici';
import type { Engine, EngineChatRequest, EngineChunk, EngineHealth } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { type Deadline, startDeadline } from '../deadline.ts';
import { fromStatus, fromStream, garbled, incomplete, timedOut, unreachable } from './failures.ts';
import { createOllamaModels, type OllamaModels } from './models.ts';
import { connectOllama, type OllamaHttp } from './ollama-http.ts';
import { deleteOllamaModel, pullOllamaModel } from './pull.ts';
import { NdjsonError, readNdjson } from './read-ndjson.ts';
import { errorText, isRecord, toChatBody, toChunks } from './wire.ts';

export interface OllamaEngineOptions {
  readonly baseUrl: string;
  readonly connectTimeoutSeconds: number;
  /** For everything but chats. */
  readonly infoTimeoutSeconds: number;
  readonly firstTokenTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
}

/** /health must answer within two seconds whatever Ollama does. */
const HEALTH_TIMEOUT_MS = 1500;
/** After the last line the connection is good for the next chat, if its end comes soon. */
const DRAIN_TIMEOUT_MS = 1000;
/** An error page longer than this is cut. */
const MAX_ERROR_BODY = 64 * 1024;

export function createOllamaEngine(options: OllamaEngineOptions): Engine {
  const { baseUrl, connectTimeoutSeconds } = options;
  const http = connectOllama({ baseUrl, connectTimeoutMs: connectTimeoutSeconds * 1000 });
  const models = createOllamaModels({ http, timeoutMs: options.infoTimeoutSeconds * 1000 });

  async function* chat(
    request: EngineChatRequest,
    signal: AbortSignal,
  ): AsyncGenerator<readonly EngineChunk[], void> {
    const abort = new AbortController();
    const forwardAbort = () => abort.abort();
    signal.addEventListener('abort', forwardAbort, { once: true });
    if (signal.aborted) abort.abort();

    let phase: 'first_token' | 'idle' = 'first_token';
    let expired = false;
    const deadline = startDeadline(options.firstTokenTimeoutSeconds * 1000, () => {
      expired = true;
      abort.abort();
    });
    const seconds = () =>
      phase === 'first_token' ? options.firstTokenTimeoutSeconds : options.idleTimeoutSeconds;
    let isComplete = false;
    try {
      const response = await open(request, abort.signal);
      const lines = readNdjson(response.body);
      for (;;) {
        const read = await lines.next();
        if (read.done) throw incomplete();
        phase = 'idle';
        deadline.extend(options.idleTimeoutSeconds * 1000);
        const { chunks, failure } = toBatch(read.value);
        isComplete = chunks.at(-1)?.type === 'done';
        if (isComplete) drain(lines, abort);
        if (chunks.length > 0) yield chunks;
        if (failure !== null && !isComplete) throw failure;
        if (isComplete) return;
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (expired) throw timedOut(seconds(), phase);
      throw asChatFailure(error, phase);
    } finally {
      deadline.stop();
      signal.removeEventListener('abort', forwardAbort);
      if (!isComplete) abort.abort();
    }
  }

  async function open(request: EngineChatRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const response = await http
      .send({ method: 'POST', path: '/api/chat', body: toChatBody(request), signal })
      .catch((error: unknown) => {
        throw unreachable(error, http.address);
      });
    if (response.statusCode === 200) return response;
    const body = await readText(response.body);
    // Models that think in other steps than asked refuse the whole request; an answer without thinking is better.
    if (response.statusCode === 400 && request.think !== false && /think/i.test(body)) {
      return open({ ...request, think: false }, signal);
    }
    if (response.statusCode === 404) models.forget(request.model);
    throw fromStatus(response.statusCode, body);
  }

  function asChatFailure(error: unknown, phase: 'first_token' | 'idle'): unknown {
    if (error instanceof MochiError) return error;
    if (error instanceof NdjsonError) return garbled(error.message);
    return phase === 'first_token' ? unreachable(error, http.address) : incomplete();
  }

  return {
    name: 'ollama',
    address: http.address,
    chat,
    listModels: models.list,
    defaultModel: async () => (await models.list())[0] ?? null,
    findModel: models.find,
    recallModel: models.recall,
    describe: toChatBody,
    listLoaded: models.listLoaded,
    ...changeModels(http, models, options.infoTimeoutSeconds * 1000),
    health: () => askHealth(http),
    close: http.close,
  };
}

function changeModels(
  http: OllamaHttp,
  models: OllamaModels,
  timeoutMs: number,
): Pick<Engine, 'pullModel' | 'deleteModel'> {
  return {
    pullModel: (name, signal) => pullOllamaModel(http, name, signal),
    async deleteModel(name) {
      models.forget(name);
      return deleteOllamaModel(http, name, AbortSignal.timeout(timeoutMs));
    },
  };
}

async function askHealth(http: OllamaHttp): Promise<EngineHealth> {
  try {
    const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    const response = await http.send({ method: 'GET', path: '/api/version', signal });
    const answer: unknown = await response.body.json();
    if (response.statusCode !== 200) return { reachable: false, version: null };
    const version = isRecord(answer) ? answer['version'] : null;
    return { reachable: true, version: typeof version === 'string' ? version : null };
  } catch {
    return { reachable: false, version: null };
  }
}

/** The chunks of what one read brought, up to the end of the answer or to a line that fails it. */
function toBatch(lines: readonly unknown[]): { chunks: EngineChunk[]; failure: MochiError | null } {
  const chunks: EngineChunk[] = [];
  for (const line of lines) {
    const failure = failureOf(line);
    if (failure !== null) return { chunks, failure };
    chunks.push(...toChunks(line));
    if (chunks.at(-1)?.type === 'done') break;
  }
  return { chunks, failure: null };
}

/** A line that is an error, or neither an error nor a part of an answer. */
function failureOf(line: unknown): MochiError | null {
  const text = errorText(line);
  if (text !== null) return fromStream(text);
  if (isRecord(line) && ('message' in line || 'done' in line)) return null;
  return garbled(`A line is neither a part of an answer nor an error: ${JSON.stringify(line).slice(0, 200)}`);
}

/** Reads the end of a finished answer in the background, so that the connection can serve the next one. */
function drain(lines: AsyncGenerator, abort: AbortController): void {
  const timer: Deadline = startDeadline(DRAIN_TIMEOUT_MS, () => abort.abort());
  void (async () => {
    try {
      while (!(await lines.next()).done);
    } catch {
      // Nobody waits for it: the answer is complete.
    } finally {
      timer.stop();
    }
  })();
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length > MAX_ERROR_BODY) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
