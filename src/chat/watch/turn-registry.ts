// The turns that memory knows: those in progress, and for a while those that have ended, for whoever reconnects.
import type { LiveTurn } from './live-turn.ts';

/** How long an ended turn replays its events (API.md §4). */
const KEPT_MS = 10 * 60 * 1000;
/** Ended turns in memory, and characters in their logs: beyond either, the oldest go first. */
const MAX_ENDED = 2000;
const MAX_ENDED_CHARACTERS = 32_000_000;

interface EndedTurn {
  readonly live: LiveTurn;
  readonly at: number;
  /** As it was counted. */
  readonly size: number;
}

interface Entry {
  readonly live: LiveTurn;
  readonly finished: Promise<void>;
}

/** Has a lifetime: its one timer runs while ended turns are kept. */
export class TurnRegistry {
  readonly #running = new Map<string, Entry>();
  /** In the order in which they ended. */
  readonly #ended = new Map<string, EndedTurn>();
  #endedCharacters = 0;
  #timer: NodeJS.Timeout | null = null;

  /**
   * @param finished resolves when the turn has ended; never rejects
   * @param seat what it holds until then; null: what is another's
   */
  add(live: LiveTurn, finished: Promise<void>, seat: { release(): void } | null = null): void {
    const ended = finished.then(() => {
      seat?.release();
      this.#end(live);
    });
    this.#running.set(live.turnId, { live, finished: ended });
  }

  /** One that is stored nowhere: nobody is told of it once it has ended. */
  addPassing(live: LiveTurn, finished: Promise<void>): void {
    const { turnId } = live;
    this.#running.set(turnId, { live, finished: finished.then(() => void this.#running.delete(turnId)) });
  }

  find(turnId: string): LiveTurn | null {
    return this.#running.get(turnId)?.live ?? this.#ended.get(turnId)?.live ?? null;
  }

  /** Resolves when the turn has ended; at once when it is not running. */
  async ended(turnId: string): Promise<void> {
    await this.#running.get(turnId)?.finished;
  }

  get running(): readonly LiveTurn[] {
    return [...this.#running.values()].map(({ live }) => live);
  }

  /** Another number whenever one of those that run tells something. */
  get progress(): number {
    let told = 0;
    for (const { live } of this.#running.values()) told += live.lastEventId;
    return told;
  }

  /** Nothing of a deleted session is replayed. */
  forgetSession(sessionId: string): void {
    for (const [turnId, { live, size }] of this.#ended) {
      if (live.sessionId !== sessionId) continue;
      this.#ended.delete(turnId);
      this.#endedCharacters -= size;
    }
  }

  clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#ended.clear();
    this.#endedCharacters = 0;
  }

  #end(live: LiveTurn): void {
    this.#running.delete(live.turnId);
    // It was refused before anybody heard of it, or is told by another instance now.
    if (live.lastEventId === 0 || live.isLost) return;
    const { size } = live;
    this.#ended.set(live.turnId, { live, at: performance.now(), size });
    this.#endedCharacters += size;
    this.#expire();
  }

  #expire(): void {
    const oldestKept = performance.now() - KEPT_MS;
    for (const [turnId, { at, size }] of this.#ended) {
      const isOver = this.#ended.size > MAX_ENDED || this.#endedCharacters > MAX_ENDED_CHARACTERS;
      if (at > oldestKept && !isOver) break;
      this.#ended.delete(turnId);
      this.#endedCharacters -= size;
    }
    if (this.#timer !== null || this.#ended.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#expire();
    }, KEPT_MS / 10).unref();
  }
}
