// POST /api/pull and DELETE /api/delete: a library of models that can be had by any name but `missing`, and cannot be
// reached for `unreachable`.
import { parseBody } from './chat-request.ts';
import type { Exchange } from './exchange.ts';
import { findModel } from './fake-model.ts';
import type { FakeState } from './fake-state.ts';
import { goJson } from './go-json.ts';
import { emptyAnswer, type HttpAnswer, jsonAnswer } from './http-answer.ts';
import { displayName, modelKey } from './model-name.ts';

const DIGEST = 'sha256:0123456789abcdef';
const TOTAL = 1000;
/** What Go's resolver says, passed on by the real one. */
const UNREACHABLE =
  'pull model manifest: Get "https://registry.ollama.ai/v2/library/x/manifests/latest": dial tcp: lookup registry.ollama.ai on 127.0.0.53:53: server misbehaving';

/** Unknown names are told with HTTP 200, as the real one does. */
export async function answerPull(state: FakeState, { request, response, signal }: Exchange): Promise<void> {
  const { model = '', name = '' } = parseBody(request.rawBody);
  const wanted = displayName(model || name);
  const isMissing = wanted.startsWith('missing');
  const fault = wanted.startsWith('unreachable') ? UNREACHABLE : 'pull model manifest: file does not exist';
  const hasFailed = isMissing || fault === UNREACHABLE;
  const layer = { status: 'pulling 0123456789ab', digest: DIGEST, total: TOTAL };
  const say = (...lines: object[]) => response.write(lines.map((line) => `${goJson(line)}\n`).join(''));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  say({ status: 'pulling manifest' });
  if (hasFailed) say({ error: fault });
  else {
    say(layer, { ...layer, completed: TOTAL / 2 });
    await unlessGone(state.pullGate, signal);
    if (!findModel(state.models, wanted)) state.models.push({ name: wanted });
    say({ ...layer, completed: TOTAL }, { status: 'verifying sha256 digest' }, { status: 'success' });
  }
  response.end();
}

/** A client that leaves ends its pull. */
async function unlessGone(gate: Promise<void> | null, signal: AbortSignal): Promise<void> {
  if (gate === null) return;
  const gone = new Promise<never>((_resolve, reject) => {
    const leave = () => reject(new Error('the client has gone'));
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
  await Promise.race([gate, gone]);
}

export function deleteModel(state: FakeState, rawBody: string): HttpAnswer {
  const { model = '', name = '' } = parseBody(rawBody);
  const wanted = model || name;
  const found = findModel(state.models, wanted);
  if (found === undefined) return jsonAnswer(404, { error: `model '${wanted}' not found` });
  state.models = state.models.filter((other) => modelKey(other.name) !== modelKey(wanted));
  return emptyAnswer(200);
}
