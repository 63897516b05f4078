// How long an answer may become: as long as the prompt leaves room in the window. Beyond it an engine would throw away
// the beginning of the conversation without a word, and some models never stop by themselves.

/** Estimates waver by a few tokens: the room is told in steps, rounded down. */
const STEP = 64;

export interface AnswerQuestion {
  /** Null where it is not known. */
  readonly window: number | null;
  /** What the prompt is expected to take. */
  readonly plannedTokens: number;
  /** What the prompt can take at most. */
  readonly mostTokens: number;
  /** What the plan has left free for the answer. */
  readonly reserve: number;
  /** `options.num_predict`; null or negative: as long as it becomes. */
  readonly numPredict: number | null;
}

export interface AnswerLimit {
  /** Tokens; null: nobody limits it, and nobody knows the window. */
  readonly tokens: number | null;
  /** The client has set a limit, whether it holds or not. */
  readonly isWished: boolean;
  /** It has asked for more than there is room. */
  readonly isClamped: boolean;
}

/** Never more than the room, whatever the prompt takes; but what the plan has left free is there. */
export function limitAnswer(question: AnswerQuestion): AnswerLimit {
  const { window, plannedTokens, mostTokens, reserve, numPredict } = question;
  const wished = numPredict !== null && numPredict >= 0 ? numPredict : null;
  const isWished = wished !== null;
  if (window === null) return { tokens: wished, isWished, isClamped: false };
  const free = Math.max(1, window - mostTokens, Math.min(reserve, window - plannedTokens));
  const room = free < STEP ? free : free - (free % STEP);
  if (wished === null || wished > room) return { tokens: room, isWished, isClamped: isWished };
  return { tokens: wished, isWished, isClamped: false };
}
