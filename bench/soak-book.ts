// What the clients of the soak were told, and everything that does not fit it.
import type { StreamedEvent } from '../test/support/read-events.ts';
import { faultsOf, readStore } from '../test/support/read-store.ts';
import { Ledger } from '../test/turns-crash/ledger.ts';

/** Turns whose events are remembered, for those who watch them. */
const REMEMBERED_TURNS = 300;

export interface SeenTurn {
  readonly turnId: string;
  readonly sessionId: string;
  /** By number: the same for everybody who watches. */
  readonly events: Map<number, string>;
}

/** Has a lifetime: one run. */
export class SoakBook {
  readonly ledger = new Ledger();
  /** What was wrong, in the order in which it was found. */
  readonly findings: string[] = [];
  /** The newest last. */
  readonly #turns = new Map<string, SeenTurn>();

  get sessions(): readonly string[] {
    return [...this.ledger.sessions];
  }

  get turns(): readonly SeenTurn[] {
    return [...this.#turns.values()];
  }

  /** Deleted, or about to be: answers about it may be anything that fits that. */
  isGone(sessionId: string): boolean {
    return !this.ledger.sessions.has(sessionId);
  }

  find(problem: string): void {
    this.findings.push(problem);
  }

  /** Takes down an event of the turn's own stream. @param asked the text that was sent, null for none */
  hear(event: StreamedEvent, turn: { sessionId: string; turnId: string; asked: string | null }): void {
    const { sessionId, turnId, asked } = turn;
    this.compare(event, turn);
    // What a deleted session promised is void.
    if (!this.isGone(sessionId)) this.ledger.hear(event, sessionId, { asked, turnId });
  }

  /** Every watcher must be told the same. */
  compare(
    { id, event, data }: StreamedEvent,
    { turnId, sessionId }: { turnId: string; sessionId: string },
  ): void {
    if (event === 'snapshot') return;
    const { events } = this.#remember(turnId, sessionId);
    const text = `${event} ${JSON.stringify(data)}`;
    const known = events.get(id);
    if (known === undefined) events.set(id, text);
    else if (known !== text) this.find(`event ${id} of ${turnId} is ${text}, and was ${known}`);
  }

  /** What does not hold any more, one line each; no turn may be running. */
  async broken(
    dataDir: string,
  ): Promise<{ readonly lost: readonly string[]; readonly faults: readonly string[] }> {
    const rows = await readStore(dataDir);
    return { lost: this.ledger.broken(rows), faults: faultsOf(rows) };
  }

  #remember(turnId: string, sessionId: string): SeenTurn {
    const known = this.#turns.get(turnId);
    if (known !== undefined) return known;
    const turn: SeenTurn = { turnId, sessionId, events: new Map() };
    this.#turns.set(turnId, turn);
    const [oldest] = this.#turns.keys();
    if (this.#turns.size > REMEMBERED_TURNS && oldest !== undefined) this.#turns.delete(oldest);
    return turn;
  }
}

/** Numbers without a gap or a double from one event to the next; a snapshot may skip what is gone. */
export function numbersFault(events: readonly StreamedEvent[], after: number): string | null {
  let last = after;
  for (const { id, event } of events) {
    const isNext = event === 'snapshot' ? id >= last : id === last + 1;
    if (!isNext) return `event ${id} (${event}) follows ${last}`;
    last = id;
  }
  return null;
}
