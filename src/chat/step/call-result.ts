// What becomes of a call: what the model reads of it, and what clients are told.

export interface CallResult {
  readonly success: boolean;
  /** As it is told. */
  readonly text: string;
  /** As it is stored, for the model. */
  readonly content: string;
  /** Base64, for models with vision. */
  readonly images: readonly string[];
}

export function success(text: string, images: readonly string[] = []): CallResult {
  return { success: true, text, content: text, images };
}

/** Something went wrong, in words that a model can use. */
export function failure(text: string): CallResult {
  return { success: false, text, content: `Error: ${text}`, images: [] };
}

/** Nothing went wrong with the tool: it was not run, and that is all there is to say. */
export function notRun(name: string, reason: string): CallResult {
  return declined(`Tool '${name}' was not run: ${reason}`);
}

/** Somebody did not want it, or nobody wanted it in time. */
export function declined(text: string): CallResult {
  return { success: false, text, content: text, images: [] };
}

/** A run of it was cut, and nobody wants another one. */
export function notRunAgain(name: string): CallResult {
  return declined(`Tool '${name}' may have run; its outcome is unknown and it was not run again`);
}

/** What a person has changed before it ran is said first. */
export function withNote(result: CallResult, note: string): CallResult {
  const text = `${note}\n${result.text}`;
  return result.success ? success(text, result.images) : failure(text);
}
