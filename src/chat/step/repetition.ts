// A model that makes the same call again and again and learns nothing from it is stopped: small ones do it without end.
import { cutText } from '../../kit/whole-characters.ts';
import type { ReadyCall } from '../../tools/prepare-call.ts';
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

/** @returns what ran last, now that this has */
export function afterRun(last: LastRun | null, { digest }: ReadyCall, { content }: CallResult): LastRun {
  const isSame = last !== null && last.digest === digest && last.content === content;
  return { digest, content, count: isSame ? last.count + 1 : 1 };
}

/** @returns the answer to a call that would only repeat what is known; null: it may run */
export function answerRepeated(last: LastRun | null, { digest, tool }: ReadyCall): CallResult | null {
  if (last === null || last.digest !== digest || last.count < MAX_REPEATS || tool.repeatable) return null;
  const quoted = cutText(last.content, QUOTED);
  return failure(
    `Tool '${tool.name}' was not run again: it gave the same result ${MAX_REPEATS} times for these arguments. Answer with what you know. The result was: ${quoted}`,
  );
}
