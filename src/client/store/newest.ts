/**
 * Of several questions at once the one that was asked last is right, whichever answer comes last.
 * @returns asks; null: there is no answer, or a newer one has come before it
 */
export function newest(): <T>(ask: () => Promise<T | null>) => Promise<T | null> {
  let asked = 0;
  let answered = 0;
  return async (ask) => {
    const at = (asked += 1);
    const answer = await ask();
    if (answer === null || at < answered) return null;
    answered = at;
    return answer;
  };
}
