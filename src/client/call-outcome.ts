// How a call of a tool ended, read from its result: of one that did not run the server says why in a fixed sentence, live
// and in what is stored, exported and imported alike.

/** `unknown`: it may have run, and nobody knows. */
export type CallOutcome = 'done' | 'failed' | 'denied' | 'not_approved' | 'not_run' | 'unknown';

const SENTENCES: readonly (readonly [RegExp, CallOutcome])[] = [
  [/^Tool '[^'\n]+' was denied by user(?:: |$)/, 'denied'],
  [/^Tool '[^'\n]+' was not approved in time(?:: |$)/, 'not_approved'],
  [/^Tool '[^'\n]+' was not run: /, 'not_run'],
  [/^(?:Error: )?not run: it needs an approval$/, 'not_run'],
  [/^Tool '[^'\n]+' may have run; its outcome is unknown/, 'unknown'],
];

/**
 * @param result of the message, or as it was told live
 * @param success where it was told; without it what failed begins with `Error: `
 */
export function outcomeOf(result: string, success?: boolean): CallOutcome {
  if (success === true) return 'done';
  const said = SENTENCES.find(([sentence]) => sentence.test(result));
  if (said !== undefined) return said[1];
  return success === false || result.startsWith('Error: ') ? 'failed' : 'done';
}
