// What the rules about conversations may touch.
import type { Engine } from '../contract/engine.ts';
import type { Db } from '../store/database.ts';
import type { PromptFiles } from '../store/prompt-files.ts';

export interface SessionDeps {
  readonly db: Db;
  readonly engine: Engine;
  /** The model of sessions that name none; null: the engine's. */
  readonly defaultModel: string | null;
  readonly promptFiles: PromptFiles;
  /** Asks the engine which windows it holds; never throws. */
  readonly learnWindows: () => Promise<void>;
  /** @param digits even number of hex digits */
  readonly newId: (digits: number) => string;
  /** ISO 8601, UTC, six fraction digits. */
  readonly now: () => string;
}
