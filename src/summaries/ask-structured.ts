// A question about a conversation that a model answers as JSON.
import type { EngineChatRequest, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { parseModelJson } from '../kit/model-json.ts';
import type { StoredSession } from '../store/sessions.ts';
import { createAnswerLeft } from './answer-left.ts';
import type { SummaryDeps } from './summary-deps.ts';

export interface StructuredQuestion<T> {
  readonly session: StoredSession;
  readonly model: EngineModel;
  /** Sent after the conversation, as a message of the user. */
  readonly instruction: string;
  /** What the answer must look like. Simple: engines turn it into a grammar. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly replyTokens: number;
  /** @returns null for a value that is not what was asked for */
  readonly read: (value: unknown) => T | null;
}

/** An answer that has not ended by then does not know how to. */
const MAX_ANSWER_LENGTH = 50_000;
/** The part of the room that a second attempt fills when the first one was too long for the engine. */
const SECOND_SHARE = 0.5;

/** Asks a second time when the answer is of no use. @throws MochiError invalid_structured_output; what the engine throws */
export async function askStructured<T>(
  deps: SummaryDeps,
  question: StructuredQuestion<T>,
  signal: AbortSignal,
): Promise<T> {
  const first = await attempt(deps, question, 1, signal).catch((error: unknown) => {
    if (error instanceof MochiError && error.kind === 'context_overflow') return 'too_long' as const;
    throw error;
  });
  if (first !== null && first !== 'too_long') return first;
  const second = await attempt(deps, question, first === null ? 1 : SECOND_SHARE, signal);
  if (second !== null) return second;
  const { name } = question.model;
  throw new MochiError(
    'invalid_structured_output',
    `The model ${name} did not answer in the form that was asked for. Try again, or name another model.`,
    { model: name },
  );
}

async function attempt<T>(
  deps: SummaryDeps,
  question: StructuredQuestion<T>,
  share: number,
  signal: AbortSignal,
): Promise<T | null> {
  const { model, instruction, schema } = question;
  const { messages, window, answerTokens } = await deps.readConversation({ ...question, share });
  signal.throwIfAborted();
  const text = await readAnswer(
    deps,
    {
      model: model.name,
      messages: [...messages, { role: 'user', content: instruction }],
      think: false,
      window,
      options: { num_predict: answerTokens, temperature: 0.3 },
      format: schema,
      ...(deps.isBackground && { isBackground: true }),
    },
    signal,
  );
  try {
    return question.read(parseModelJson(text));
  } catch {
    return null;
  }
}

async function readAnswer(
  { engine, noteLeft }: SummaryDeps,
  request: EngineChatRequest,
  signal: AbortSignal,
): Promise<string> {
  const leftOf = createAnswerLeft(Number(request.options['num_predict']), () => performance.now());
  let text = '';
  let pieces = 0;
  noteLeft?.(Number.POSITIVE_INFINITY);
  signal.throwIfAborted();
  for await (const batch of engine.chat(request, signal)) {
    for (const chunk of batch) {
      if (chunk.type !== 'content') continue;
      text += chunk.text;
      pieces += 1;
    }
    if (pieces > 0) noteLeft?.(leftOf(text, pieces));
    if (text.length > MAX_ANSWER_LENGTH) return '';
  }
  signal.throwIfAborted();
  return text;
}
