// POST /api/chat and POST /api/generate: the checks, the load of the model, then the script.
import { checkCapabilities, checkOptions, fitPrompt, requireInsert, requireModel } from './chat-checks.ts';
import { parseChatBody, parseGenerateBody, type RequestBody } from './chat-request.ts';
import type { ChatScript } from './chat-script.ts';
import { defaultAnswer } from './default-answer.ts';
import { keepAliveMs } from './duration.ts';
import type { Exchange } from './exchange.ts';
import type { FakeModel } from './fake-model.ts';
import type { FakeState } from './fake-state.ts';
import { foldScript } from './fold-script.ts';
import { goTime } from './go-json.ts';
import { jsonAnswer, sendAnswer } from './http-answer.ts';
import { limitScript } from './limit-script.ts';
import { displayName } from './model-name.ts';
import { playScript, type Stage } from './play-script.ts';

/** Answers one chat request. */
export async function answerChat(state: FakeState, exchange: Exchange): Promise<void> {
  await answerParsed(state, exchange, parseChatBody(exchange.request.rawBody), false);
}

/** Answers `POST /api/generate`: the same model at work, told in other words. */
export async function answerGenerate(state: FakeState, exchange: Exchange): Promise<void> {
  const { prompt = '', suffix = '', system, images, ...rest } = parseGenerateBody(exchange.request.rawBody);
  if (suffix !== '') requireInsert(requireModel(state.models, rest.model));
  const content = `${prompt}${suffix}`;
  const messages = [
    ...(system ? [{ role: 'system', content: system }] : []),
    ...(content === '' ? [] : [{ role: 'user', content, ...(images && { images }) }]),
  ];
  await answerParsed(state, exchange, { ...rest, messages }, true);
}

async function answerParsed(
  state: FakeState,
  exchange: Exchange,
  body: RequestBody,
  isGenerated: boolean,
): Promise<void> {
  const model = requireModel(state.models, body.model);
  const unloads = body.keep_alive != null && keepAliveMs(body.keep_alive) === 0;
  const isEmpty = !body.messages?.length;
  if (isEmpty && unloads) {
    state.loaded.unload(model);
    return answerLoad(exchange, body, 'unload');
  }
  checkCapabilities(model, body);
  checkOptions(body);
  const { window, loadMs, runner } = await state.loaded.load(model, body, state.loadDelayMs, exchange.signal);
  if (isEmpty) return answerLoad(exchange, body, 'load');

  const promptTokens = fitPrompt(model, body, window);
  const arrivedAt = performance.now();
  const leaveRunner = state.loaded.use(runner);
  let leaveSlot = () => {};
  try {
    leaveSlot = await runner.slots.enter(exchange.signal);
    const waitedMs = performance.now() - arrivedAt;
    const { script, shifts } = limitScript(nextScript(state, model, body), body, { promptTokens, window });
    if (shifts) state.shifts[displayName(model.name)] = (state.shifts[displayName(model.name)] ?? 0) + 1;
    const stage: Stage = {
      ...exchange,
      model: body.model ?? '',
      promptTokens,
      loadMs,
      waitedMs,
      isGenerated,
    };
    await (body.stream === false ? foldScript(script, stage) : playScript(script, stage));
  } finally {
    leaveSlot();
    leaveRunner();
    if (unloads) state.loaded.unload(model);
  }
}

/** Without messages, the reply is a single JSON object even for a stream. */
function answerLoad(exchange: Exchange, body: RequestBody, reason: 'load' | 'unload'): void {
  const message = { role: 'assistant', content: '' };
  const answer = { model: body.model, created_at: goTime(), message, done: true, done_reason: reason };
  sendAnswer(exchange.response, jsonAnswer(200, answer));
}

/** The queue, then the default, then the program of the model's name, then the documentation's example. */
function nextScript(state: FakeState, model: FakeModel, body: RequestBody): ChatScript {
  const source = state.replies.shift() ?? state.defaultReply;
  if (source) return typeof source === 'function' ? source(body) : source;
  const program = state.programs[displayName(model.name).replace(/:latest$/, '')];
  return program ? program(body) : defaultAnswer(model, body);
}
