// A model that makes the same call again and again and learns nothing from it is stopped: small ones do it without end.
import { cutText } from '../../kit/whole-characters.ts';
import { type CallResult, failure } from './call-result.ts';

/** Runs of the same call in a row with the same result; one more would bring nothing. */
const MAX_REPEATS = 2;
/** Of the result, in characters. */
const QUOTED = 500;

/** The call that ran last in a turn. */
export interface LastRun {
  readonly digest: string;
  readonly content: string;
  /** How often in a row it ran with this result. */
  readonly count: number;
}

interface RepeatedRun {
  readonly digest: string;
  readonly tool: { readonly repeatable: boolean };
}

/** @returns what ran last, now that this has */
export function afterRun(
  last: LastRun | null,
  { digest }: Pick<RepeatedRun, 'digest'>,
  { content }: CallResult,
): LastRun {
  const isSame = last !== null && last.digest === digest && last.content === content;
  return { digest, content, count: isSame ? last.count + 1 : 1 };
}

/** Whether a call would only repeat what is known. */
export function isRepeated(last: LastRun | null, { digest, tool }: RepeatedRun): last is LastRun {
  return last !== null && last.digest === digest && last.count >= MAX_REPEATS && !tool.repeatable;
}

/** The answer to such a call. */
export function answerRepeated({ content }: LastRun, name: string): CallResult {
  const quoted = cutText(content, QUOTED);
  return failure(
    `Tool '${name}' was not run again: it gave the same result ${MAX_REPEATS} times for these arguments. Answer with what you know. The result was: ${quoted}`,
  );
}
