// What the clients of one data folder were told, over all lives of its server, and what of it does not hold.
import type { StreamedEvent } from '../support/read-events.ts';
import type { MessageRow, StoredRows } from '../support/read-store.ts';

export interface ToldMessage {
  readonly sessionId: string;
  readonly messageId: string;
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** The turn that was to bring it; null for one that needs no turn. */
  readonly turnId: string | null;
}

export interface ToldTurn {
  readonly turnId: string;
  readonly sessionId: string;
  lastEventId: number;
  /** It waits in line: cancelled now, it takes its message with it. */
  isWaiting: boolean;
  /** Its answer was told. */
  isAnswered: boolean;
  /** As its last event told; null while it was not seen. */
  state: string | null;
}

export interface ToldKey {
  readonly sessionId: string;
  readonly key: string;
  readonly body: unknown;
  readonly turnId: string;
}

export class Ledger {
  readonly sessions = new Set<string>();
  readonly deleted = new Set<string>();
  readonly messages = new Map<string, ToldMessage>();
  readonly turns = new Map<string, ToldTurn>();
  readonly keys: ToldKey[] = [];

  tell(message: ToldMessage): void {
    this.messages.set(`${message.sessionId}/${message.messageId}`, message);
  }

  /** From here on a session may be gone. */
  release(sessionId: string): void {
    this.sessions.delete(sessionId);
    for (const [key, message] of this.messages) {
      if (message.sessionId === sessionId) this.messages.delete(key);
    }
    for (const [turnId, turn] of this.turns) if (turn.sessionId === sessionId) this.turns.delete(turnId);
  }

  /** Takes down what an event of a stream promises. @param asked the text that was sent, null for none */
  hear(
    { id, event, data }: StreamedEvent,
    sessionId: string,
    told: { asked: string | null; turnId: string },
  ): void {
    const { turnId } = told;
    const turn = this.turns.get(turnId) ?? {
      turnId,
      sessionId,
      lastEventId: 0,
      isWaiting: false,
      isAnswered: false,
      state: null,
    };
    this.turns.set(turnId, turn);
    turn.lastEventId = id;
    if (event === 'turn_start' && told.asked !== null) {
      const messageId: string = data.user_message_id;
      this.tell({ sessionId, messageId, role: 'user', content: told.asked, turnId });
    }
    if (event === 'status') turn.isWaiting = data.phase === 'queued';
    if (event === 'context') turn.isWaiting = false;
    if (event === 'message_complete') {
      turn.isAnswered = true;
      const { content } = data.message;
      this.tell({ sessionId, messageId: data.message_id, role: 'assistant', content, turnId: null });
    }
    if (event === 'done') turn.state = data.state;
  }

  /** Messages of a session that were promised, in the order in which they were told. */
  messagesOf(sessionId: string): ToldMessage[] {
    return [...this.messages.values()].filter((message) => message.sessionId === sessionId);
  }

  /** What does not hold, one line each. */
  broken(rows: StoredRows): string[] {
    const sessions = new Set(rows.sessions.map(({ id }) => id));
    const stored = new Map(rows.messages.map((row) => [`${row.session_id}/${row.id}`, row]));
    const states = new Map(rows.turns.map(({ id, state }) => [id, state]));
    return [
      ...[...this.sessions].filter((id) => !sessions.has(id)).map((id) => `session ${id} is gone`),
      ...[...this.deleted].filter((id) => sessions.has(id)).map((id) => `session ${id} is back`),
      ...[...this.messages]
        .filter(([key, told]) => !isKept(told, stored.get(key)) && !this.#isWithdrawn(told, states))
        .map(([key, told]) => `${JSON.stringify(told)} is ${JSON.stringify(stored.get(key))}`),
      ...[...this.turns.values()].flatMap((turn) => brokenTurn(turn, states.get(turn.turnId))),
    ];
  }

  /** A turn that was cancelled in line takes its message with it. */
  #isWithdrawn({ turnId }: ToldMessage, states: ReadonlyMap<string, string>): boolean {
    return (
      turnId !== null && this.turns.get(turnId)?.isWaiting === true && states.get(turnId) === 'cancelled'
    );
  }
}

function isKept(told: ToldMessage, row: MessageRow | undefined): boolean {
  return row?.role === told.role && row.content === told.content && row.status === 'complete';
}

function brokenTurn({ turnId, isAnswered, state }: ToldTurn, stored: string | undefined): string[] {
  if (stored === undefined) return [`turn ${turnId} is gone`];
  const expected = state ?? (isAnswered ? 'completed' : null);
  if (expected !== null && stored !== expected) return [`turn ${turnId} was ${expected}, is ${stored}`];
  return [];
}
