// One chat inside the engine process: prompt in pieces, then token by token until the answer ends.
import type { EngineChunk } from '../../contract/engine.ts';
import type { FinishReason } from '../../contract/message.ts';
import { createAnswerText, createDecoder } from './answer-text.ts';
import type { Binding, Grammar, Llama, Sequence, Token } from './binding.ts';
import type { ContextHolder, Ready } from './loaded-context.ts';
import type { ProcessChat } from './protocol.ts';
import { type Sampling, toSampling } from './sampling.ts';

/** Tokens of the prompt between two looks at whether the chat was aborted. */
const PROMPT_PIECE = 128;

/** What the prompt needs more than the window has. */
export class OverflowError extends Error {
  override readonly name = 'OverflowError';
  readonly requiredTokens: number;

  constructor(promptTokens: number, window: number) {
    super(`The prompt has ${promptTokens} tokens; a window of ${window} cannot hold it and an answer.`);
    this.requiredTokens = promptTokens;
  }
}

export interface Generation {
  readonly binding: Binding;
  readonly holder: ContextHolder;
  readonly chat: ProcessChat;
  readonly signal: AbortSignal;
  readonly emit: (chunks: readonly EngineChunk[]) => void;
}

/** Returns early, without a `done` chunk, when the signal is aborted. @throws OverflowError, what the binding throws */
export async function generate({ binding, holder, chat, signal, emit }: Generation): Promise<void> {
  const written: Token[] = [];
  let prompt: Token[] = [];
  const sampling = toSampling({
    options: chat.options,
    isStructured: chat.format !== undefined,
    recentTokens: (count) => recent(prompt, written, count),
  });
  const ready = await holder.ready(chat, sampling.threads);
  if (signal.aborted) return;
  const { model, sequence } = ready;
  const rendered = ready.renderPrompt({ ...chat, think: chat.think !== false });
  prompt = rendered.tokens;
  const room = sequence.contextSize - prompt.length - 1;
  if (room < 1) throw new OverflowError(prompt.length, sequence.contextSize);
  const startedAt = performance.now();
  const last = await evaluatePrompt(sequence, prompt, signal);
  if (signal.aborted) return;

  const decode = createDecoder(model);
  const text = createAnswerText({
    stop: sampling.stop,
    startsThinking: rendered.opensThinking,
    callsTools: (chat.tools ?? []).length > 0,
  });
  const limit = Math.min(sampling.maxTokens, room);
  const isComplete = chat.format === undefined ? () => false : createCompleteJson();
  let firstAt: number | null = null;
  let reason: FinishReason = 'stop';
  const options = { ...sampling.evaluate, ...(await grammarFor(binding, ready, chat)) };
  if (limit > 0) {
    for await (const token of sequence.evaluate(last, options)) {
      firstAt ??= performance.now();
      if (signal.aborted) return;
      written.push(token);
      const chunks = text.push(decode(token));
      if (chunks.length > 0) emit(chunks);
      if (text.hasStopped || isComplete(chunks)) break;
      if (written.length >= limit) {
        reason = 'length';
        break;
      }
    }
  } else reason = 'length';
  const endedAt = performance.now();
  firstAt ??= endedAt;
  emit([
    ...text.end(),
    {
      type: 'done',
      reason,
      usage: {
        promptTokens: prompt.length,
        outputTokens: written.length,
        loadMs: ready.loadMs === null ? 0 : Math.round(ready.loadMs),
        promptEvalMs: Math.round(firstAt - startedAt),
        evalMs: Math.round(endedAt - firstAt),
      },
    },
  ]);
}

/** What an earlier chat left in the context is kept as far as the prompts agree. @returns the tokens still to evaluate */
async function evaluatePrompt(sequence: Sequence, prompt: Token[], signal: AbortSignal): Promise<Token[]> {
  // The last token is evaluated in any case: the answer starts from its result.
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  let rest = prompt.slice(sequence.nextTokenIndex);
  while (rest.length > PROMPT_PIECE && !signal.aborted) {
    await sequence.evaluateWithoutGeneratingNewTokens(rest.slice(0, PROMPT_PIECE));
    rest = rest.slice(PROMPT_PIECE);
  }
  return rest;
}

async function grammarFor(
  binding: Binding,
  { llama, model }: Ready,
  { format }: ProcessChat,
): Promise<Pick<Sampling['evaluate'], 'grammarEvaluationState'>> {
  if (format === undefined) return {};
  const grammar = await toGrammar(llama, format);
  return { grammarEvaluationState: new binding.LlamaGrammarEvaluationState({ model, grammar }) };
}

/** A schema beyond what grammars can say becomes "any JSON": the answer is held against the schema later. */
async function toGrammar(llama: Llama, format: NonNullable<ProcessChat['format']>): Promise<Grammar> {
  const any = () => llama.getGrammarFor('json');
  return format === 'json' ? any() : llama.createGrammarForJsonSchema(format).catch(any);
}

/** Small models go on with blank lines after the last bracket, which every grammar allows. */
function createCompleteJson(): (chunks: readonly EngineChunk[]) => boolean {
  let content = '';
  return (chunks) => {
    for (const chunk of chunks) if (chunk.type === 'content') content += chunk.text;
    if (!/[}\]]\s*$/.test(content)) return false;
    try {
      JSON.parse(content);
      return true;
    } catch {
      return false;
    }
  };
}

function recent(prompt: readonly Token[], written: readonly Token[], count: number): Token[] {
  const fromWritten = written.slice(-Math.min(count, written.length) || written.length);
  const missing = Math.min(count - fromWritten.length, prompt.length);
  return missing > 0 ? [...prompt.slice(-missing), ...fromWritten] : fromWritten;
}
