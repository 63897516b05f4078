// Checkpoints of all answers that are being written: they share transactions, since one for each would cost more
// than passing on its tokens.
import { setImmediate } from 'node:timers/promises';
import type { Db } from '../../store/database.ts';
import { commitUnsynced } from '../../store/durable.ts';
import type { PathPlace } from '../../store/path-place.ts';
import { isDue, type SavedText } from './checkpoint-pace.ts';

/** Text is stored once it has waited so long and is looked at: a crash loses a second of a text that is not very long. */
const CHECKPOINT_MS = 875;
/** How often it is looked at which drafts are due. Those of many streams are so spread over the second. */
const LOOK_MS = 125;
/** Drafts written at a time: everybody else waits meanwhile, about a tenth of a millisecond for each. */
const MOST_PER_COMMIT = 8;

/** An answer that is being written. */
export interface CheckpointedDraft {
  /** Where it lies on the path; null until it was stored for the first time. */
  place: PathPlace | null;
  /** Of its text, in characters. */
  readonly length: number;
  /** Writes the text so far. @returns where it lies once this is committed */
  save(db: Db): Promise<PathPlace>;
  /** It could not be stored. */
  fail(error: unknown): void;
}

/** Has a lifetime: that of the server. Its one timer runs while a draft has text that is not stored. */
export class Checkpoints {
  readonly #db: Db;
  /** Drafts with text that is not stored, and since when. */
  readonly #unsaved = new Map<CheckpointedDraft, number>();
  readonly #saved = new WeakMap<CheckpointedDraft, SavedText>();
  #timer: NodeJS.Timeout | null = null;
  /** Those that are to be stored for the first time, in the same write. */
  #first: CheckpointedDraft[] = [];
  /** The writes that were asked for, one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #committing: { readonly drafts: readonly CheckpointedDraft[]; readonly done: Promise<void> } | null = null;

  constructor(db: Db) {
    this.#db = db;
  }

  /** The draft has new text: it is stored at once the first time, then within a second; a very long one less often. */
  note(draft: CheckpointedDraft): void {
    if (this.#unsaved.has(draft)) return;
    this.#unsaved.set(draft, performance.now());
    if (draft.place === null) this.#writeFirst(draft);
    this.#startTimer();
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      const now = performance.now();
      const due: CheckpointedDraft[] = [];
      for (const [draft, since] of this.#unsaved)
        if (now - since >= CHECKPOINT_MS && isDue(this.#saved.get(draft) ?? null, draft.length, now))
          due.push(draft);
      if (due.length > 0) this.#write(due);
      if (due.length < this.#unsaved.size) this.#startTimer();
    }, LOOK_MS);
  }

  /** Writes nothing more of the draft; resolves when what is being written of it is committed. */
  async forget(draft: CheckpointedDraft): Promise<void> {
    this.#drop(draft);
    if (this.#committing?.drafts.includes(draft)) await this.#committing.done;
  }

  #drop(draft: CheckpointedDraft): void {
    this.#unsaved.delete(draft);
    if (this.#unsaved.size > 0 || this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #write(due: readonly CheckpointedDraft[]): void {
    this.#writing = this.#writing.then(() => this.#writeInTurn(due));
  }

  /** Together with all that begin before it is its turn. */
  #writeFirst(draft: CheckpointedDraft): void {
    this.#first.push(draft);
    if (this.#first.length > 1) return;
    this.#writing = this.#writing.then(async () => {
      await setImmediate();
      const due = this.#first;
      this.#first = [];
      await this.#writeInTurn(due);
    });
  }

  async #writeInTurn(due: readonly CheckpointedDraft[]): Promise<void> {
    for (let start = 0; start < due.length; start += MOST_PER_COMMIT) {
      // What is on its way to clients goes first.
      await setImmediate();
      const drafts = due.slice(start, start + MOST_PER_COMMIT).filter((draft) => this.#unsaved.has(draft));
      if (drafts.length === 0) continue;
      const done = this.#commit(drafts);
      this.#committing = { drafts, done };
      await done;
      this.#committing = null;
    }
  }

  /** Never rejects: a draft that cannot be written has the reason, and the others are written without it. */
  async #commit(drafts: readonly CheckpointedDraft[]): Promise<void> {
    const places = new Map<CheckpointedDraft, PathPlace>();
    try {
      await commitUnsynced(this.#db, async (db) => {
        for (const draft of drafts) {
          this.#drop(draft);
          this.#saved.set(draft, { length: draft.length, at: performance.now() });
          places.set(draft, await draft.save(db));
        }
      });
      // Only now are they there: a commit can fail.
      for (const [draft, place] of places) draft.place = place;
    } catch (error) {
      const [first, ...others] = drafts;
      if (others.length === 0) first?.fail(error);
      else for (const draft of drafts) await this.#commit([draft]);
    }
  }
}
