// What the engine was last sent for a session: the next prompt is planned, and compared, on top of it.
import type { PathPlace } from './path-place.ts';

/** Stored as JSON in the session's row. */
export interface PromptMark {
  readonly model: string;
  /** What the engine had loaded for it; missing in marks of older versions. */
  readonly weights?: string;
  /** What the name stood for; missing where nobody said. */
  readonly digest?: string | null;
  /** What the engine was asked for; null: its own default. */
  readonly window: number | null;
  /** Tokens that could be planned at most. */
  readonly budget: number;
  /** Options whose change makes the engine load or read everything anew, as JSON. */
  readonly options: string;
  /** Of the system message. */
  readonly systemId: string | null;
  /** Of the tools that were offered; null, or missing in marks of older versions: none. */
  readonly tools?: string | null;
  /** The summary that stood for what was left out. */
  readonly summary: string | null;
  /** The first message of the history that was sent, and its depth. */
  readonly startId: string | null;
  readonly start: number;
  /** The last message that was sent. */
  readonly tip: PathPlace;
  /** Messages in the prompt, the system message included. */
  readonly sent: number;
  /** The answer that came, or its part. */
  readonly answerId: string | null;
  /** What prompt and answer cost together, as the engine counted; null when it did not say, or cannot be right. */
  readonly usedTokens: number | null;
}
