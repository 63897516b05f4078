// Routes a request to its endpoint.
import { isAllowed } from './access.ts';
import { requireModel } from './chat-checks.ts';
import { answerChat, answerGenerate } from './chat-endpoint.ts';
import { parseBody } from './chat-request.ts';
import { embed } from './embed-endpoint.ts';
import type { Exchange } from './exchange.ts';
import { type FakeModel, findModel } from './fake-model.ts';
import type { FakeState } from './fake-state.ts';
import { playFault } from './fault.ts';
import { emptyAnswer, type HttpAnswer, jsonAnswer, plainAnswer, sendAnswer } from './http-answer.ts';
import { displayName } from './model-name.ts';
import { showBody, tagsBody } from './model-shapes.ts';
import { answerOwn, isOwn } from './own-endpoints.ts';
import { answerPull, deleteModel } from './pull-endpoint.ts';
import { Refusal } from './refusal.ts';

/** Answers a request: access, fault, then the endpoint. Rejects when the client goes away. */
export async function answer(state: FakeState, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  response.setHeader('date', new Date(Date.now() + state.clockOffsetMs).toUTCString());
  if (!isAllowed(request.headers)) return sendAnswer(response, emptyAnswer(403));
  const fault = state.faults.get(request.path) ?? state.faults.get('*');
  if (fault) return playFault(fault, exchange);
  try {
    await route(state, exchange);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sendAnswer(response, jsonAnswer(error.status, { error: error.message }));
  }
}

async function route(state: FakeState, exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  const readable = ['/', '/api/version', '/api/tags', '/api/ps'];
  if (isOwn(exchange.request)) return answerOwn(state, exchange);
  const isKnown = readable.includes(path) || CHANGING.has(path);
  if (!isKnown) return sendAnswer(exchange.response, plainAnswer(404, '404 page not found'));
  const methods = readable.includes(path) ? readMethods(path) : [CHANGING.get(path) ?? ''];
  if (!methods.includes(method)) {
    return sendAnswer(exchange.response, plainAnswer(405, '405 method not allowed'));
  }
  if (path === '/api/chat') return answerChat(state, exchange);
  if (path === '/api/generate') return answerGenerate(state, exchange);
  if (path === '/api/pull') return answerPull(state, exchange);
  sendAnswer(exchange.response, plainEndpoint(state, path, exchange.request.rawBody));
}

const CHANGING: ReadonlyMap<string, string> = new Map([
  ['/api/show', 'POST'],
  ['/api/chat', 'POST'],
  ['/api/generate', 'POST'],
  ['/api/embed', 'POST'],
  ['/api/pull', 'POST'],
  ['/api/delete', 'DELETE'],
]);

/** HEAD works on all of these but /api/ps. */
function readMethods(path: string): string[] {
  return path === '/api/ps' ? ['GET'] : ['GET', 'HEAD'];
}

function plainEndpoint(state: FakeState, path: string, rawBody: string): HttpAnswer {
  switch (path) {
    case '/api/version':
      return jsonAnswer(200, { version: state.version });
    case '/api/tags':
      return jsonAnswer(200, tagsBody(state.models, state.version));
    case '/api/ps':
      return jsonAnswer(200, state.loaded.psBody(state.clockOffsetMs));
    case '/api/show':
      return jsonAnswer(200, showBody(shownModel(state.models, rawBody)));
    case '/api/embed':
      return embed(state, rawBody);
    case '/api/delete':
      return deleteModel(state, rawBody);
    default:
      return plainAnswer(200, 'Ollama is running');
  }
}

/** Unlike /api/chat, /api/show names an unknown model with its tag. */
function shownModel(models: readonly FakeModel[], rawBody: string): FakeModel {
  const body = parseBody(rawBody);
  const name = body.model || body.name;
  const model = name ? findModel(models, name) : undefined;
  return model ?? requireModel(models, name && displayName(name));
}
