// The assistant message while it is being written: in memory token by token, in the store about once a second.
import type { EngineToolCall } from '../contract/engine.ts';
import { appendToPath, type PathPlace } from '../store/active-path.ts';
import { commitUnsynced } from '../store/commit-unsynced.ts';
import type { Db } from '../store/database.ts';
import { updateMessage } from '../store/messages.ts';
import { noteLastEvent } from '../store/turns.ts';
import { type PromptSize, sizeOf } from '../window/estimate.ts';

/** A crash loses at most about this much of a streamed text. */
const CHECKPOINT_MS = 1000;

export interface DraftOptions {
  readonly db: Db;
  readonly sessionId: string;
  readonly turnId: string;
  readonly messageId: string;
  readonly model: string;
  readonly timestamp: string;
  /** The message that it answers. */
  readonly parent: PathPlace;
  /** How far the events of the turn have come. */
  readonly lastEventId: () => number;
}

/** Has a lifetime: from the first chunk of a model call to `close`. */
export class Draft {
  content = '';
  thinking = '';
  readonly toolCalls: EngineToolCall[] = [];
  /** Where the message lies on the path; null while it was not written. */
  place: PathPlace | null = null;
  readonly options: DraftOptions;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  constructor(options: DraftOptions) {
    this.options = options;
  }

  get isEmpty(): boolean {
    return this.content === '' && this.thinking === '';
  }

  get size(): PromptSize {
    return sizeOf({ content: this.content, thinking: this.thinking, tool_calls: this.toolCalls });
  }

  /** Sees to it that the text is stored soon: at once the first time, then within a second. @throws what a write threw */
  touch(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#timer !== null || this.isEmpty) return;
    if (this.place === null) this.#write();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#write();
    }, CHECKPOINT_MS);
  }

  /** Ends the checkpoints and waits for the one that runs. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#writing;
  }

  /** One write at a time, in order; a failure is kept for whoever comes next. */
  #write(): void {
    this.#writing = this.#writing
      .then(() => this.#checkpoint())
      .catch((error: unknown) => {
        this.#failure = error;
      });
  }

  /** Not synced on its own: a killed process keeps it, and the commit of the whole answer syncs it as well. */
  async #checkpoint(): Promise<void> {
    const { sessionId, messageId, turnId } = this.options;
    let place = this.place;
    await commitUnsynced(this.options.db, async (db) => {
      if (place === null) {
        place = await this.begin(db);
        return;
      }
      await updateMessage(db, sessionId, messageId, {
        content: this.content,
        thinking: this.thinking || null,
        status: 'streaming',
      });
      await noteLastEvent(db, turnId, this.options.lastEventId());
    });
    // Only now is it there: a commit can fail.
    this.place = place;
  }

  /** Puts the message on the path, as `streaming`. */
  async begin(db: Db): Promise<PathPlace> {
    const { sessionId, turnId, messageId, model, timestamp, parent } = this.options;
    return appendToPath(db, parent, {
      sessionId,
      id: messageId,
      role: 'assistant',
      content: this.content,
      thinking: this.thinking || null,
      timestamp,
      status: 'streaming',
      model,
      turnId,
    });
  }
}
