// What a server asks a person while one of its tools runs.
import type { ElicitRequestParams, ElicitResult } from '@modelcontextprotocol/client';
import type { JsonSchema, ToolAnswer, ToolAsks, ToolQuestion } from '../tool.ts';

/** A call under way, and who can be asked for it. */
export interface Asker {
  /** Null: nobody. */
  readonly ask: ((question: ToolQuestion, signal: AbortSignal) => Promise<ElicitResult>) | null;
}

/** Of a question as JSON: longer ones are for no person. */
const MAX_LENGTH = 64 * 1024;
/** At once. */
const MAX_QUESTIONS = 16;

/**
 * A server does not say for which of its calls it asks: where there are several, it may be about another conversation,
 * and nobody is asked.
 */
export async function answerElicitation(
  asking: { readonly server: string; readonly askers: ReadonlySet<Asker> },
  params: ElicitRequestParams,
  signal: AbortSignal,
): Promise<ElicitResult> {
  const [asker, ...others] = asking.askers;
  const question = questionOf(asking.server, params);
  if (asker?.ask == null || others.length > 0 || question === null) return { action: 'decline' };
  return asker.ask(question, signal);
}

/** Null: it wants more than a form, such as a page that is to be opened. */
function questionOf(server: string, params: ElicitRequestParams): ToolQuestion | null {
  if (!('requestedSchema' in params)) return null;
  const schema: JsonSchema = { ...params.requestedSchema };
  const isLong = JSON.stringify([params.message, schema]).length > MAX_LENGTH;
  return isLong ? null : { server, message: params.message, schema };
}

/** As the protocol has it. */
export function toElicitResult(answer: ToolAnswer): ElicitResult {
  if (answer.action !== 'accept') return { action: answer.action };
  // As it fits the schema of the question, which knows no other values.
  return { action: 'accept', content: { ...answer.content } as NonNullable<ElicitResult['content']> };
}

/**
 * What a server of the newer protocol wants before it goes on.
 * @returns null: it wants something that nobody here can give
 */
export function asksOf(server: string, result: unknown): ToolAsks | null {
  const { inputRequests, requestState } = Object(result);
  const questions = Object.entries(Object(inputRequests)).map(([key, request]) => {
    const { method, params } = Object(request);
    return { key, question: method === 'elicitation/create' ? questionOf(server, params) : null };
  });
  const fitting = questions.flatMap(({ key, question }) => (question === null ? [] : [{ key, question }]));
  if (fitting.length === 0 || fitting.length < questions.length || fitting.length > MAX_QUESTIONS)
    return null;
  return { state: typeof requestState === 'string' ? requestState : null, questions: fitting };
}
