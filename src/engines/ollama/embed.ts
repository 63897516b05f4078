// Vectors of texts, by Ollama. Facts: docs/api.md of ollama/ollama, "Generate Embeddings".
import type { EngineEmbeddings, EngineEmbedRequest } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { inventoryOf } from '../inventory.ts';
import { askForText } from './ask-ollama.ts';
import { garbled, isRefusal, notSupported } from './failures.ts';
import type { OllamaModels } from './models.ts';
import type { OllamaHttp } from './ollama-http.ts';
import { isRecord } from './wire.ts';

/** Some thousand vectors of a large model. */
const MAX_BYTES = 128 * 1024 * 1024;

/** @throws MochiError */
export async function embedTexts(
  { http, models }: { readonly http: OllamaHttp; readonly models: OllamaModels },
  { keepAlive, ...request }: EngineEmbedRequest,
  signal: AbortSignal,
): Promise<EngineEmbeddings> {
  const body = { ...request, ...(keepAlive !== undefined && { keep_alive: keepAlive }) };
  try {
    const { text } = await askForText(http, { method: 'POST', path: '/api/embed', body, signal }, MAX_BYTES);
    return toEmbeddings(JSON.parse(text), request.input.length);
  } catch (error) {
    if (error instanceof SyntaxError) throw garbled('/api/embed answered no JSON.');
    if (!(error instanceof MochiError)) throw error;
    if (isRefusal(error)) throw notSupported(error, request.model);
    if (error.kind !== 'model_not_found') throw error;
    models.forget(request.model);
    const installed = await inventoryOf(models.list);
    throw new MochiError(error.kind, `${error.message}. ${installed}`, { model: request.model });
  }
}

function toEmbeddings(answer: unknown, count: number): EngineEmbeddings {
  const vectors = isRecord(answer) ? answer['embeddings'] : null;
  const isWhole = Array.isArray(vectors) && vectors.length === count && vectors.every(isVector);
  if (!isRecord(answer) || !isWhole) throw garbled(`/api/embed answered no ${count} vectors.`);
  return {
    vectors,
    promptTokens: countOf(answer['prompt_eval_count']),
    totalMs: milliseconds(answer['total_duration']),
    loadMs: milliseconds(answer['load_duration']),
  };
}

function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'number');
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

function milliseconds(value: unknown): number | null {
  return typeof value === 'number' ? value / 1e6 : null;
}
