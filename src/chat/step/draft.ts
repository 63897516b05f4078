// The assistant message while it is being written: in memory token by token, in the store about once a second.
import type { ContextReceipt } from '../../contract/context-window.ts';
import type { EngineToolCall } from '../../contract/engine.ts';
import type { FinishReason } from '../../contract/message.ts';
import { type AppendedMessage, appendToPath, type SessionAlso } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import { updateMessage } from '../../store/messages.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { requireTenure, type Tenure } from '../../store/tenure.ts';
import { noteAnswer, noteLastEvent } from '../../store/turns.ts';
import { type PromptSize, sizeOf } from '../../window/estimate.ts';
import type { Checkpoints } from './checkpoints.ts';

/** Of an answer that is stored nowhere. */
export const NO_CHECKPOINTS: Pick<Checkpoints, 'note' | 'forget'> = {
  note: () => undefined,
  forget: async () => undefined,
};

export interface DraftOptions {
  readonly checkpoints: Pick<Checkpoints, 'note' | 'forget'>;
  readonly sessionId: string;
  readonly turnId: string;
  readonly tenure: Tenure | null;
  readonly messageId: string;
  readonly model: string;
  readonly timestamp: string;
  /** The message that it answers. */
  readonly parent: PathPlace;
  /** How far the events of the turn have come. */
  readonly told: { readonly lastEventId: number };
  /** What was sent. */
  readonly receipt: ContextReceipt;
}

/** How it stands when it is stored. */
export type DraftEnd = Pick<
  AppendedMessage,
  'status' | 'evalCount' | 'promptEvalCount' | 'finishReason' | 'toolCalls'
>;

/** Has a lifetime: from the first chunk of a model call to `close`. */
export class Draft {
  content = '';
  thinking = '';
  readonly toolCalls: EngineToolCall[] = [];
  /** Null while it has not ended. */
  finishReason: FinishReason | null = null;
  /** Where the message lies on the path; null while it was not written. */
  place: PathPlace | null = null;
  readonly options: DraftOptions;
  /** It rests with a text that is not in the format that was asked for; that was not told. */
  isUnfit = false;
  #failure: unknown = null;

  constructor(options: DraftOptions) {
    this.options = options;
  }

  get isEmpty(): boolean {
    return this.content === '' && this.thinking === '';
  }

  get length(): number {
    return this.content.length + this.thinking.length;
  }

  get size(): PromptSize {
    return sizeOf({ content: this.content, thinking: this.thinking, tool_calls: this.toolCalls });
  }

  /** Sees to it that the text is stored soon. @throws what a write threw */
  touch(): void {
    if (this.#failure !== null) throw this.#failure;
    if (!this.isEmpty) this.options.checkpoints.note(this);
  }

  /** Ends the checkpoints and waits for the one that runs. */
  close(): Promise<void> {
    return this.options.checkpoints.forget(this);
  }

  /** It could not be stored: whoever adds to it next is told. */
  fail(error: unknown): void {
    this.#failure = error;
  }

  /** A checkpoint: the message begins, or gets the text so far. @returns where it lies once this is committed */
  async save(db: Db): Promise<PathPlace> {
    const { place } = this;
    await requireTenure(db, this.options);
    if (place === null || !(await this.update(db, { status: 'streaming' }))) return this.begin(db);
    await noteLastEvent(db, this.options.turnId, this.options.told.lastEventId);
    return place;
  }

  /**
   * The message, which was written before, as it is now.
   * @returns whether it is there: a checkpoint waits for no disk, and a crash of the database can take it back
   */
  update(db: Db, end: DraftEnd): Promise<boolean> {
    const { sessionId, messageId } = this.options;
    return updateMessage(db, sessionId, messageId, {
      content: this.content,
      thinking: this.thinking || null,
      ...end,
    });
  }

  /** Puts the message on the path, as `streaming`; what was sent for it is known from then on. */
  async begin(db: Db): Promise<PathPlace> {
    await this.note(db);
    // Of the session nothing is new but its head: it changes again when the answer is complete.
    return this.append(db, { status: 'streaming' }, { isQuiet: true });
  }

  /** In the turn's row: what answers it, and what was sent for that. */
  async note(db: Db): Promise<void> {
    const { turnId, messageId, receipt } = this.options;
    await noteAnswer(db, turnId, { messageId, context: receipt });
  }

  /** Puts the message on the path, with the text so far. */
  append(db: Db, end: DraftEnd, also: SessionAlso = {}): Promise<PathPlace> {
    const { sessionId, turnId, messageId, model, timestamp, parent } = this.options;
    const { content, thinking } = this;
    const text = { content, thinking: thinking || null };
    const message = { sessionId, id: messageId, role: 'assistant' as const, timestamp, model, turnId };
    return appendToPath(db, parent, { ...message, ...text, ...end }, also);
  }
}
