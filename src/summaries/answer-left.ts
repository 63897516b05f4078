// How long an answer that a model writes as JSON still takes, at most.

/**
 * @param tokens that it may have
 * @param now a clock in milliseconds
 * @returns told of each read: the text so far, and how many pieces it came in
 */
export function createAnswerLeft(
  tokens: number,
  now: () => number,
): (text: string, pieces: number) => number {
  let startedAt: number | null = null;
  return (text, pieces) => {
    startedAt ??= now();
    // Nothing may follow a whole value.
    if (isWhole(text)) return 0;
    // The first piece tells no rate: it waited for the prompt.
    if (pieces < 2) return Number.POSITIVE_INFINITY;
    const eachMs = (now() - startedAt) / (pieces - 1);
    return Math.max(0, tokens - pieces) * eachMs;
  };
}

function isWhole(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
