// A question to Ollama with one whole answer: bounded in size, and in time by its signal.
import { MochiError } from '../../contract/errors.ts';
import { readBounded } from '../read-bounded.ts';
import { garbled, unreachable } from './failures.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { OllamaHttp, OllamaRequest } from './ollama-http.ts';
import { fromStatus, isPage, strangePage } from './strange-answers.ts';
import { isRecord } from './wire.ts';

/** A list of ten thousand models takes 5 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** An error page longer than this is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

interface OllamaAnswer {
  readonly value: Record<string, unknown>;
  /** By the engine's clock, in milliseconds since the epoch; null where it does not say. */
  readonly toldAt: number | null;
}

export type AskOllama = (request: Omit<OllamaRequest, 'signal'>) => Promise<OllamaAnswer>;

/** @returns a function that throws a MochiError for everything but a JSON object with status 200 */
export function createAsk(http: OllamaHttp, timeoutMs: number): AskOllama {
  return async (request) => {
    const { text, toldAt } = await askForText(http, { ...request, signal: AbortSignal.timeout(timeoutMs) });
    const value = parse(text);
    if (isRecord(value)) return { value, toldAt };
    throw isPage(text)
      ? strangePage(text, http.address)
      : garbled(`${request.path} answered no JSON object.`);
  };
}

/** Status 200, whatever is in the body. @throws MochiError; the signal's reason when that is no timeout */
export async function askForText(
  http: OllamaHttp,
  request: OllamaRequest,
  maxBytes = MAX_ANSWER_BYTES,
): Promise<{ readonly text: string; readonly toldAt: number | null }> {
  const { path, signal } = request;
  try {
    const response = await sendOllama(http, request);
    const { text, isCut } = await readBounded(response, maxBytes);
    if (isCut) throw garbled(`${path} answered with more than ${maxBytes} bytes.`);
    const toldAt = Date.parse(String(response.headers['date']));
    return { text, toldAt: Number.isNaN(toldAt) ? null : toldAt };
  } catch (error) {
    if (error instanceof MochiError) throw error;
    if (signal.aborted && !isTimeout(signal.reason)) throw signal.reason;
    throw unreachable(error, http.address);
  }
}

/** Status 200 and no page, its body unread. @throws MochiError for every other answer; what `send` throws */
export async function sendOllama(http: OllamaHttp, request: OllamaRequest): Promise<HttpAnswer> {
  const response = await http.send(request);
  const { location, 'content-type': type } = response.headers;
  const hasPage = String(type).startsWith('text/html');
  if (response.statusCode === 200 && !hasPage) return response;
  const { text } = await readBounded(response, MAX_ERROR_BYTES);
  if (response.statusCode === 200) throw strangePage(text, http.address);
  throw fromStatus(
    { status: response.statusCode, text, ...(typeof location === 'string' && { location }) },
    http.address,
  );
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
