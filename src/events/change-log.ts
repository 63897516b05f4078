// What has changed, numbered, in the order in which it changed last. A thing that changes again moves to the end: only
// its newest state is of use to anybody, so that the log is as long as there are things, and never as old as the server.

/** Things in the log; the ones that changed longest ago are forgotten first. */
const MAX_ENTRIES = 2000;

export interface LogEntry<Change> {
  readonly id: number;
  readonly change: Change;
}

export class ChangeLog<Change> {
  /** By the name of the thing, in the order of the numbers. */
  readonly #entries = new Map<string, LogEntry<Change>>();
  #lastId: number;
  /** Whoever has seen this far has missed nothing that is forgotten. */
  #reachesTo: number;

  /**
   * @param firstId greater than any number of an earlier log that somebody may still know: what those have seen says
   *   nothing about this one
   */
  constructor(firstId: number) {
    this.#lastId = firstId;
    this.#reachesTo = firstId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** @param thing its name, of all things in the log */
  note(thing: string, change: Change): void {
    this.#lastId += 1;
    this.#entries.delete(thing);
    this.#entries.set(thing, { id: this.#lastId, change });
    if (this.#entries.size <= MAX_ENTRIES) return;
    // Only now: on the way to the first one all lie that were deleted.
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    this.#entries.delete(oldest[0]);
    this.#reachesTo = oldest[1].id;
  }

  /** Nobody knows what has changed: whoever has seen anything has missed something. */
  forget(): void {
    this.#entries.clear();
    this.#lastId += 1;
    this.#reachesTo = this.#lastId;
  }

  /** Whether all that changed after a number is in the log. */
  knows(seen: number): boolean {
    return seen >= this.#reachesTo && seen <= this.#lastId;
  }

  /** What changed after a number, in the order in which it changed last. */
  after(seen: number): readonly LogEntry<Change>[] {
    return [...this.#entries.values()].filter(({ id }) => id > seen);
  }
}
