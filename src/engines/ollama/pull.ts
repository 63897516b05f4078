// Fetching and deleting models of an Ollama. Facts: docs/api.md of ollama/ollama, "Pull a Model".
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { fromStatus, unreachable } from './failures.ts';
import type { OllamaHttp, OllamaRequest } from './ollama-http.ts';
import { readNdjson } from './read-ndjson.ts';
import { errorText, isRecord } from './wire.ts';

/** @throws MochiError model_pull_failed with Ollama's own text, ollama_unreachable, ollama_error */
export async function* pullOllamaModel(
  http: OllamaHttp,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, void> {
  const body = { model: name, stream: true };
  const response = await send(http, { method: 'POST', path: '/api/pull', body, signal });
  if (response.statusCode !== 200) throw fromStatus(response.statusCode, await response.body.text());
  let isComplete = false;
  for await (const lines of readNdjson(response.body)) {
    for (const line of lines) {
      const failure = errorText(line);
      if (failure !== null) throw failed(failure);
      if (!isRecord(line)) continue;
      const status = typeof line['status'] === 'string' ? line['status'] : '';
      isComplete = status === 'success';
      yield { status, completed: countOf(line['completed']), total: countOf(line['total']) };
    }
  }
  if (!isComplete) throw failed('the answer ended early');
}

/** @returns whether it was there */
export async function deleteOllamaModel(
  http: OllamaHttp,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const body = { model: name };
  const response = await send(http, { method: 'DELETE', path: '/api/delete', body, signal });
  const text = await response.body.text();
  if (response.statusCode === 404) return false;
  if (response.statusCode !== 200) throw fromStatus(response.statusCode, text);
  return true;
}

async function send(http: OllamaHttp, request: OllamaRequest): ReturnType<OllamaHttp['send']> {
  return http.send(request).catch((error: unknown) => {
    if (request.signal.aborted && !isTimeout(request.signal)) throw request.signal.reason;
    throw unreachable(error, http.address);
  });
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function failed(reason: string): MochiError {
  return new MochiError('model_pull_failed', `Ollama could not fetch the model: ${reason}.`);
}
