// A short question to an Ollama: one JSON object, soon.
import { fromStatus, garbled, unreachable } from './failures.ts';
import type { OllamaHttp, OllamaRequest } from './ollama-http.ts';
import { isRecord } from './wire.ts';

interface OllamaAnswer {
  readonly value: Record<string, unknown>;
  /** By the engine's clock, in milliseconds since the epoch; null where it does not say. */
  readonly toldAt: number | null;
}

type AskOllama = (request: Omit<OllamaRequest, 'signal'>) => Promise<OllamaAnswer>;

/** @returns a function that throws a MochiError for everything but a JSON object with status 200 */
export function createAsk(http: OllamaHttp, timeoutMs: number): AskOllama {
  return async (request) => {
    const signal = AbortSignal.timeout(timeoutMs);
    let status: number;
    let text: string;
    let toldAt: number;
    try {
      const response = await http.send({ ...request, signal });
      status = response.statusCode;
      toldAt = Date.parse(String(response.headers['date']));
      text = await response.body.text();
    } catch (error) {
      throw unreachable(error, http.address);
    }
    if (status !== 200) throw fromStatus(status, text);
    const value = parse(text);
    if (!isRecord(value)) throw garbled(`${request.path} answered no JSON object.`);
    return { value, toldAt: Number.isNaN(toldAt) ? null : toldAt };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
