// POST /api/embed: a vector for each text, the same for the same text.
import { createHash } from 'node:crypto';
import { findModel, hasCapability } from './fake-model.ts';
import type { FakeState } from './fake-state.ts';
import { type HttpAnswer, jsonAnswer } from './http-answer.ts';
import { Refusal } from './refusal.ts';

/** Words stand for tokens. */
const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '').length;

export function embed(state: FakeState, rawBody: string): HttpAnswer {
  const body = JSON.parse(rawBody) as {
    readonly model?: string;
    readonly input?: string | readonly string[];
    readonly dimensions?: number;
    readonly truncate?: boolean;
  };
  if (!body.model) throw new Refusal(400, 'model is required');
  const model = findModel(state.models, body.model);
  if (model === undefined) {
    throw new Refusal(404, `model "${body.model}" not found, try pulling it first`);
  }
  if (!hasCapability(model, 'embedding')) {
    throw new Refusal(501, 'This server does not support embeddings. Start it with `--embeddings`');
  }
  const texts = [body.input ?? []].flat();
  const most = model.contextLength ?? 4096;
  if (body.truncate === false && texts.some((text) => wordsOf(text) > most)) {
    throw new Refusal(400, 'the input length exceeds the context length');
  }
  const length = body.dimensions ?? 8;
  const count = texts.reduce((sum, text) => sum + wordsOf(text), 0);
  return jsonAnswer(200, {
    model: body.model,
    embeddings: texts.map((text) => vectorOf(text, length)),
    total_duration: 14_143_917,
    load_duration: 1_019_500,
    ...(count > 0 && { prompt_eval_count: count }),
  });
}

/** Of length 1. */
function vectorOf(text: string, length: number): number[] {
  const bytes = createHash('sha256').update(text).digest();
  const parts = Array.from({ length }, (_, index) => (bytes[index % bytes.length] ?? 0) - 127.5);
  const norm = Math.hypot(...parts);
  return parts.map((part) => part / norm);
}
