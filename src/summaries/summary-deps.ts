// What writing about a session may touch.
import type { Engine, EngineMessage, EngineModel } from '../contract/engine.ts';
import type { Db } from '../store/database.ts';
import type { StoredSession } from '../store/sessions.ts';

export interface ConversationQuestion {
  readonly session: StoredSession;
  /** Who is to read it. */
  readonly model: EngineModel;
  /** What is asked about the conversation, sent after it. */
  readonly instruction: string;
  /** Tokens that the answer may take. */
  readonly replyTokens: number;
  /** Which part of the room may be filled, up to 1. */
  readonly share: number;
}

/** The conversation as the model was sent it before, so that the engine has read most of it already. */
export interface Conversation {
  readonly messages: readonly EngineMessage[];
  /** The window in use: asking for another one would load the model anew. */
  readonly window: number | null;
  /** What the answer may take of it: no more than asked for, and no more than there is room. */
  readonly answerTokens: number;
}

interface SlotOptions {
  /** Nothing is written any more. */
  readonly signal: AbortSignal;
  /** Somebody waits for the place. */
  readonly onWanted: () => void;
}

export interface SummaryDeps {
  readonly db: Db;
  readonly engine: Engine;
  /** Whether nobody waits for what is written. */
  readonly isBackground: boolean;
  /** A place with an engine that others ask, as long as they leave one free; null: it needs none. */
  readonly takeSlot?: (model: EngineModel, options: SlotOptions) => Promise<{ release(): void } | null>;
  /** Told how long the answer that is being written takes at most, in milliseconds. */
  readonly noteLeft?: (leftMs: number) => void;
  /** As much of a session as fits the window in use, the newest first. */
  readonly readConversation: (question: ConversationQuestion) => Promise<Conversation>;
}
