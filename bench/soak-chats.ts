// Chats of the soak: what is asked, and what each answer, event and failure may be.
import type { ChatRequest } from '../src/contract/chat.ts';
import type { StreamedEvent } from '../test/support/read-events.ts';
import type { Random } from './random.ts';
import { numbersFault, type SoakBook } from './soak-book.ts';
import type { Answer, SoakClient } from './soak-client.ts';
import { ENGINE_FAULTS, KINDS, pickKind, type SoakEngine } from './soak-engine.ts';

/** What the actors of a run share. */
export interface SoakWorld {
  readonly client: SoakClient;
  readonly book: SoakBook;
  readonly engine: SoakEngine;
  /** How often each operation was done. */
  readonly done: Map<string, number>;
  /** Identifies a message over all actors. */
  readonly nextNumber: () => number;
}

/** What any turn can meet in a session that others use. */
const INTERFERENCE = ['turn_cancelled', 'session_busy'];

export type Chat = ChatRequest & { readonly message: string | null };

/** Follows a stream; told after each event, it may cut the connection, and may take its time. */
export type Listener = (event: StreamedEvent, stream: { readonly turnId: string; cut(): void }) => unknown;

interface StreamOptions {
  readonly listen?: Listener;
  /** The idempotency key. */
  readonly key?: string;
  /** When the turn can have begun at the earliest; default: now. */
  readonly since?: number;
}

export class SoakChats {
  readonly #world: SoakWorld;
  readonly #random: Random;

  constructor(world: SoakWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  ask(kind: string): Chat {
    return { message: `${kind} ${this.#world.nextNumber()}`, ...this.policies() };
  }

  policies(): Pick<ChatRequest, 'on_busy' | 'on_disconnect'> {
    return {
      on_busy: this.#random.pick(['queue', 'queue', 'queue', 'reject', 'interrupt'] as const),
      ...(this.#random.oneIn(3) && { on_disconnect: this.#random.pick(['cancel', 'continue'] as const) }),
    };
  }

  async plain(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const startedAt = performance.now();
    const body = this.ask(pickKind(this.#random));
    const answer = await client.json({ method: 'POST', path: `/chat/${sessionId}`, body });
    if (answer.status !== 200) return this.#expectRefusal(answer, sessionId, this.#failures(body, startedAt));
    if (book.isGone(sessionId)) return;
    const { message_id: messageId, content } = answer.body.message;
    book.ledger.tell({ sessionId, messageId, role: 'assistant', content, turnId: null });
  }

  /** A stream to its end, or until the listener cuts it. @returns the id of its turn; null when it was refused */
  async stream(sessionId: string, body: Chat, how: StreamOptions = {}): Promise<string | null> {
    const { client, book } = this.#world;
    const { listen, key, since: startedAt = performance.now() } = how;
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const stream = await client.events({ method: 'POST', path: `/chat/${sessionId}/stream`, body, headers });
    if (stream.status !== 200) {
      this.#expectRefusal(stream, sessionId, this.#failures(body, startedAt));
      return null;
    }
    const turnId = String(stream.headers['x-turn-id']);
    let isCut = false;
    const cut = () => {
      isCut = true;
      stream.cut();
    };
    const seen: StreamedEvent[] = [];
    for await (const event of stream.events) {
      seen.push(event);
      book.hear(event, { sessionId, turnId, asked: body.message });
      if (event.event === 'error')
        this.#expectFailure(event.data, sessionId, this.#failures(body, startedAt));
      await listen?.(event, { turnId, cut });
      if (isCut) break;
    }
    const fault = numbersFault(seen, 0);
    if (fault !== null) book.find(`stream of ${turnId}: ${fault}`);
    // It may have been in line: then it is cancelled with its message.
    const told = book.ledger.turns.get(turnId);
    if (isCut && told !== undefined && !seen.some(({ event }) => event === 'context')) told.isWaiting = true;
    if (!isCut) await this.#expectEnd(seen, turnId, sessionId);
    return turnId;
  }

  /** `done` once, last; and what it says is stored. */
  async #expectEnd(seen: readonly StreamedEvent[], turnId: string, sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const last = seen.at(-1);
    if (last?.event !== 'done' || seen.filter(({ event }) => event === 'done').length !== 1) {
      return book.find(`stream of ${turnId} ends with ${last?.event}`);
    }
    const { status, body } = await client.json({ path: `/turns/${turnId}` });
    if (book.isGone(sessionId) && status === 404) return;
    if (status !== 200 || body.state !== last.data.state || body.last_event_id !== last.id) {
      book.find(`${turnId} said ${JSON.stringify(last)}, and is ${status} ${JSON.stringify(body)}`);
    }
  }

  /** What a request may fail with, by its kind and by what happened to the engine meanwhile. */
  #failures({ message }: Chat, startedAt: number): readonly string[] {
    const kind = KINDS[message?.split(' ', 1)[0] ?? ''];
    const isOpen = kind === undefined || this.#world.engine.wasBrokenSince(startedAt);
    return [
      ...INTERFERENCE,
      ...(isOpen ? ENGINE_FAULTS : kind.fails),
      ...(message === null ? ['empty_history'] : []),
    ];
  }

  #expectRefusal(answer: Answer, sessionId: string, allowed: readonly string[]): void {
    const { status, body } = answer;
    this.#expectFailure(body?.detail?.error ?? { code: `status ${status}`, message: '' }, sessionId, allowed);
  }

  #expectFailure(
    { code, message }: { readonly code: string; readonly message: string },
    sessionId: string,
    allowed: readonly string[],
  ): void {
    const { book } = this.#world;
    if (allowed.includes(code) || (code === 'session_not_found' && book.isGone(sessionId))) return;
    book.find(`a turn failed with ${code} (${message}), not with ${allowed.join(', ')}`);
  }

  /** One of these statuses, or 404 in a session that is gone. */
  expectGone(answer: Answer, sessionId: string, what: string, statuses: readonly number[] = []): void {
    if (answer.status === 404 && this.#world.book.isGone(sessionId)) return;
    this.expect(answer, statuses, what);
  }

  expect({ status, body }: Answer, statuses: readonly number[], what: string): void {
    if (statuses.includes(status)) return;
    this.#world.book.find(`${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
}
