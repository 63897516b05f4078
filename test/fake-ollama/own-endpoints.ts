// What only an Ollama has: other names for models, models made from others, and the parts that they are made of.
import type { Exchange } from './exchange.ts';
import { findModel } from './fake-model.ts';
import type { FakeState } from './fake-state.ts';
import { goJson } from './go-json.ts';
import { emptyAnswer, jsonAnswer, sendAnswer } from './http-answer.ts';
import { displayName } from './model-name.ts';
import { Refusal } from './refusal.ts';

interface OwnBody {
  readonly source?: string;
  readonly destination?: string;
  readonly model?: string;
  readonly from?: string;
  readonly system?: string;
  readonly stream?: boolean;
}

export function isOwn({ method, path }: Pick<Exchange['request'], 'method' | 'path'>): boolean {
  if (path.startsWith('/api/blobs/')) return method === 'HEAD' || method === 'POST';
  return method === 'POST' && ['/api/copy', '/api/create'].includes(path);
}

export function answerOwn(state: FakeState, { request, response }: Exchange): void {
  const { method, path, rawBody } = request;
  if (path.startsWith('/api/blobs/')) {
    const digest = path.slice('/api/blobs/'.length);
    const isThere = state.blobs.has(digest);
    if (method === 'POST') state.blobs.set(digest, rawBody);
    return sendAnswer(response, emptyAnswer(method === 'POST' ? 201 : isThere ? 200 : 404));
  }
  const body = JSON.parse(rawBody) as OwnBody;
  const original = path === '/api/copy' ? body.source : body.from;
  const model = original === undefined ? undefined : findModel(state.models, original);
  if (model === undefined) throw new Refusal(404, `model '${original}' not found`);
  const name = displayName((path === '/api/copy' ? body.destination : body.model) ?? '');
  state.models.push({ ...model, name, ...(body.system !== undefined && { system: body.system }) });
  if (path === '/api/copy') return sendAnswer(response, emptyAnswer(200));
  const lines = [{ status: 'reading model metadata' }, { status: 'writing manifest' }, { status: 'success' }];
  if (body.stream === false) return sendAnswer(response, jsonAnswer(200, { status: 'success' }));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end(lines.map((line) => `${goJson(line)}\n`).join(''));
}
