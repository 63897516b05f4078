// `POST /api/chat` and `POST /api/generate`.
import { Type } from 'typebox';
import { invalidField } from '../../contract/errors.ts';
import { type Asked, type DialectAnswer, type DialectDeps, route, type TurnAnswer } from '../dialect.ts';
import { meantModel } from '../models.ts';
import { placeTurn } from '../place.ts';
import { USUAL_SETTINGS } from '../settings.ts';
import type { OllamaCall } from './answer-lines.ts';
import { GenerateBody, OllamaChatBody } from './chat-body.ts';
import { readCompletion } from './read-completion.ts';
import { type OllamaRequest, readChat, readGenerate } from './read-request.ts';
import { createLineReader } from './to-answer.ts';
import { createLineWriter } from './write-events.ts';

const Line = Type.Object(
  { model: Type.String(), created_at: Type.String(), done: Type.Boolean() },
  { additionalProperties: true },
);

export const chatRoutes = [
  route({
    method: 'POST',
    path: '/api/chat',
    operationId: 'ollamaChat',
    summary: 'Chat as with Ollama',
    description:
      'Lines of JSON, or with `stream: false` one object. Without `messages` the model is loaded, or with `keep_alive: 0` unloaded.',
    body: OllamaChatBody,
    answer: Line,
    isTurn: true,
    async handle(deps, asked) {
      const { body } = asked;
      if ((body.messages ?? []).length === 0) return load(deps, asked, 'chat');
      return answerTurn(deps, asked, 'chat', readChat(body));
    },
  }),
  route({
    method: 'POST',
    path: '/api/generate',
    operationId: 'ollamaGenerate',
    summary: 'Generate a text as with Ollama',
    description:
      'A turn of `system`, `prompt` and `images`; with `raw`, `suffix`, `template` or `context` the text is completed as it is. Without `prompt` the model is loaded, or with `keep_alive: 0` unloaded.',
    body: GenerateBody,
    answer: Line,
    isTurn: true,
    async handle(deps, asked) {
      const { body } = asked;
      if (!body.prompt && !body.suffix) return load(deps, asked, 'generate');
      const completion = readCompletion(body);
      if (completion === null) return answerTurn(deps, asked, 'generate', readGenerate(body));
      refuseSession(asked);
      const read = readGenerate(body);
      // Templates are what tells a model to think.
      const think = body.raw || body.suffix ? false : read.settings.think;
      return pass(deps, 'generate', read, { ...read.settings, think, truncation: 'refuse', completion });
    },
  }),
];

/** Of a text that is completed as it is no conversation can be made. */
function refuseSession({ session }: Pick<Asked, 'session'>): void {
  if (session === null || session === 'none' || session === 'auto') return;
  throw invalidField(
    '/session',
    'cannot hold a text that is completed as it is: leave out raw, suffix, template and context',
  );
}

async function answerTurn(
  deps: DialectDeps,
  asked: Asked,
  call: OllamaCall,
  read: OllamaRequest,
): Promise<DialectAnswer> {
  const placed = await placeTurn(deps, asked, read);
  return { as: 'turn', ...placed, told: toldOf(deps, call, read) };
}

async function pass(
  deps: DialectDeps,
  call: OllamaCall,
  read: OllamaRequest,
  settings: Omit<Parameters<DialectDeps['turns']['pass']>[0], 'model' | 'system' | 'messages'>,
): Promise<DialectAnswer> {
  const { model, history } = read;
  const turn = await deps.turns.pass({ ...settings, ...history, model: meantModel(deps, model) });
  return { as: 'turn', turn, isStored: false, told: toldOf(deps, call, read) };
}

function toldOf(
  deps: DialectDeps,
  call: OllamaCall,
  { model, isStream }: Pick<OllamaRequest, 'model' | 'isStream'>,
): TurnAnswer['told'] {
  const head = { model, created_at: deps.now() };
  return isStream
    ? { how: 'ndjson', writer: createLineWriter(call, head) }
    : { how: 'whole', reader: createLineReader(call, head) };
}

/** One object, whether or not a stream was asked for. */
async function load(
  deps: DialectDeps,
  { body, signal }: Asked<OllamaChatBody | GenerateBody>,
  call: OllamaCall,
): Promise<DialectAnswer> {
  const { settings } = readGenerate(body);
  const model = meantModel(deps, body.model);
  const isUnload = body.keep_alive === 0 || /^0+[a-z]*$/.test(String(body.keep_alive ?? ''));
  const { engineWork } = deps.turns;
  if (isUnload) await engineWork.unload(model);
  else await engineWork.load({ ...USUAL_SETTINGS, ...settings, model, system: null, messages: [] }, signal);
  const said = call === 'chat' ? { message: { role: 'assistant', content: '' } } : { response: '' };
  const created_at = deps.now();
  const done_reason = isUnload ? 'unload' : 'load';
  return { as: 'json', body: { model: body.model, created_at, ...said, done: true, done_reason } };
}
