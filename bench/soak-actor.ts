// One of many clients that do everything that a session can be asked for, at random, and hold each answer against
// what it may be.
import type { ChatRequest } from '../src/contract/chat.ts';
import type { StreamedEvent } from '../test/support/read-events.ts';
import type { Random } from './random.ts';
import { numbersFault, type SoakBook } from './soak-book.ts';
import type { Answer, Call, SoakClient } from './soak-client.ts';
import { ENGINE_FAULTS, KINDS, MODEL, pickKind, type SoakEngine } from './soak-engine.ts';

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

/** Sessions that there are at most. */
const MOST_SESSIONS = 96;
/** A turn is left or cancelled after at most so many events. */
const MOST_EVENTS_SEEN = 8;
/** What any turn can meet in a session that others use. */
const INTERFERENCE = ['turn_cancelled', 'session_busy'];

type Chat = ChatRequest & { readonly message: string | null };

/** Follows a stream; told after each event, it may cut the connection, and may take its time. */
type Listener = (event: StreamedEvent, stream: { readonly turnId: string; cut(): void }) => unknown;

interface StreamOptions {
  readonly listen?: Listener;
  /** The idempotency key. */
  readonly key?: string;
  /** When the turn can have begun at the earliest; default: now. */
  readonly since?: number;
}

export class SoakActor {
  readonly #world: SoakWorld;
  readonly #random: Random;
  readonly #operations: readonly (readonly [
    name: string,
    weight: number,
    run: (id: string) => Promise<unknown>,
  ])[];

  constructor(world: SoakWorld, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#operations = [
      ['send', 12, (id) => this.#plain(id)],
      ['stream', 24, (id) => this.#stream(id, this.#ask(pickKind(this.#random)))],
      ['regenerate', 5, (id) => this.#stream(id, { message: null })],
      ['continue', 4, (id) => this.#stream(id, { message: null, mode: 'continue' })],
      ['cancel', 6, (id) => this.#cancel(id)],
      ['disconnect', 8, (id) => this.#leave(id)],
      ['watch', 12, () => this.#watch()],
      ['repeat', 5, (id) => this.#repeat(id)],
      ['edit', 5, (id) => this.#edit(id)],
      ['head', 4, (id) => this.#switchHead(id)],
      ['fork', 3, (id) => this.#fork(id)],
      ['delete', 3, (id) => this.#delete(id)],
      ['create', 3, () => this.#create()],
      ['list', 4, (id) => this.#list(id)],
      ['read', 4, (id) => this.#read(id)],
      ['change', 2, (id) => this.#change(id)],
    ];
  }

  /** Goes on until told to stop; the operation under way is finished. */
  async run(stopped: AbortSignal): Promise<void> {
    const all = this.#operations.flatMap((operation) =>
      Array.from({ length: operation[1] }, () => operation),
    );
    while (!stopped.aborted) {
      const { sessions } = this.#world.book;
      const isFirst = sessions.length === 0;
      const [name, , operate] = isFirst
        ? (['create', 1, () => this.#create()] as const)
        : this.#random.pick(all);
      await operate(isFirst ? '' : this.#random.pick(sessions)).catch((error: unknown) => {
        this.#world.book.find(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      });
      this.#world.done.set(name, (this.#world.done.get(name) ?? 0) + 1);
    }
  }

  #ask(kind: string): Chat {
    return { message: `${kind} ${this.#world.nextNumber()}`, ...this.#policies() };
  }

  #policies(): Pick<ChatRequest, 'on_busy' | 'on_disconnect'> {
    return {
      on_busy: this.#random.pick(['queue', 'queue', 'queue', 'reject', 'interrupt'] as const),
      ...(this.#random.oneIn(3) && { on_disconnect: this.#random.pick(['cancel', 'continue'] as const) }),
    };
  }

  async #plain(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const startedAt = performance.now();
    const body = this.#ask(pickKind(this.#random));
    const answer = await client.json({ method: 'POST', path: `/chat/${sessionId}`, body });
    if (answer.status !== 200) return this.#expectRefusal(answer, sessionId, this.#failures(body, startedAt));
    if (book.isGone(sessionId)) return;
    const { message_id: messageId, content } = answer.body.message;
    book.ledger.tell({ sessionId, messageId, role: 'assistant', content, turnId: null });
  }

  /** A stream to its end, or until the listener cuts it. @returns the id of its turn; null when it was refused */
  async #stream(sessionId: string, body: Chat, how: StreamOptions = {}): Promise<string | null> {
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

  async #cancel(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const until = this.#random.below(MOST_EVENTS_SEEN) + 1;
    const bySession = this.#random.oneIn(4);
    const wait = this.#random.oneIn(2);
    const listen: Listener = async ({ id }, { turnId }) => {
      if (id !== until) return;
      const path = bySession ? `/chat/${sessionId}/cancel` : `/turns/${turnId}/cancel`;
      const answer = await client.json({ method: 'POST', path: `${path}?wait=${wait}` });
      if (answer.status === 200 || book.isGone(sessionId)) return;
      // Somebody else was faster.
      if (!bySession || answer.body.detail.error.code !== 'no_active_turn') this.#expect(answer, [200], path);
    };
    await this.#stream(sessionId, this.#ask('endless'), { listen });
  }

  async #leave(sessionId: string): Promise<void> {
    const until = this.#random.below(MOST_EVENTS_SEEN) + 1;
    const kind = this.#random.oneIn(2) ? 'endless' : pickKind(this.#random);
    const listen: Listener = ({ id }, { cut }) => {
      if (id === until) cut();
    };
    await this.#stream(sessionId, this.#ask(kind), { listen });
  }

  /** Joins a turn anywhere, leaves it and comes back as a browser does, to its end. */
  async #watch(): Promise<void> {
    const { client, book } = this.#world;
    const { turns } = book;
    if (turns.length === 0) return;
    const turn = this.#random.pick(turns);
    let after = this.#random.oneIn(2) ? 0 : this.#random.below(turn.events.size + 1);
    for (let visit = 0; visit < 3; visit += 1) {
      const header = { 'last-event-id': String(after) };
      const stream = await client.events({ path: `/turns/${turn.turnId}/stream`, headers: header });
      if (stream.status === 204) return;
      if (stream.status !== 200) return this.#expectGone(stream, turn.sessionId, 'watch');
      const leaveAt =
        visit < 2 && this.#random.oneIn(2) ? after + 1 + this.#random.below(MOST_EVENTS_SEEN) : null;
      const seen: StreamedEvent[] = [];
      for await (const event of stream.events) {
        seen.push(event);
        book.compare(event, turn);
        if (event.id !== leaveAt) continue;
        stream.cut();
        break;
      }
      const fault = numbersFault(seen, after);
      if (fault !== null) book.find(`watch of ${turn.turnId} after ${after}: ${fault}`);
      const last = seen.at(-1);
      if (last?.event === 'done') return;
      if (last === undefined || last.id !== leaveAt) {
        return book.find(`watch of ${turn.turnId} after ${after} ends with ${JSON.stringify(last)}`);
      }
      after = last.id;
    }
  }

  /** The same request three times: two at once, and one afterwards. All are one turn. */
  async #repeat(sessionId: string): Promise<void> {
    const { book } = this.#world;
    const kind = this.#random.oneIn(4) ? pickKind(this.#random) : 'plain';
    const body: Chat = { ...this.#ask(kind), on_busy: 'queue' };
    const key = `key-${this.#world.nextNumber()}`;
    const how = { key, since: performance.now() };
    const first = await Promise.all([this.#stream(sessionId, body, how), this.#stream(sessionId, body, how)]);
    const again = await this.#stream(sessionId, body, how);
    const turns = new Set([...first, again]);
    if (book.isGone(sessionId) || turns.has(null)) return;
    if (turns.size !== 1) book.find(`${key} is of ${[...turns].join(', ')}`);
  }

  async #edit(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const shown = await client.json({ path: `/sessions/${sessionId}/messages` });
    if (shown.status !== 200) return this.#expectGone(shown, sessionId, 'messages');
    const messages: { role: string }[] = shown.body.messages;
    const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
    if (users.length === 0) return;
    const path = `/sessions/${sessionId}/messages/${this.#random.pick(users)}`;
    const { message: content } = this.#ask(pickKind(this.#random));
    const answer = await client.json({ method: 'PUT', path, body: { content } });
    // The path may have changed since, and may be answered.
    if (answer.status !== 200) return this.#expectGone(answer, sessionId, 'edit', [400, 409]);
    if (!book.isGone(sessionId) && content !== null) {
      const { message_id: messageId } = answer.body.message;
      book.ledger.tell({ sessionId, messageId, role: 'user', content, turnId: null });
    }
    await this.#stream(sessionId, { message: null, ...this.#policies() });
  }

  async #switchHead(sessionId: string): Promise<void> {
    const messageId = this.#pickMessage(sessionId);
    if (messageId === null) return;
    await this.#simple(
      { method: 'PUT', path: `/sessions/${sessionId}/head`, body: { message_id: messageId } },
      sessionId,
      [200, 409],
    );
  }

  async #fork(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const messageId = this.#pickMessage(sessionId);
    if (messageId === null || book.sessions.length >= MOST_SESSIONS) return this.#delete(sessionId);
    const told = book.ledger.messages.get(`${sessionId}/${messageId}`);
    const answer = await client.json({
      method: 'POST',
      path: `/sessions/${sessionId}/fork`,
      body: { message_id: messageId },
    });
    if (answer.status !== 201) return this.#expectGone(answer, sessionId, 'fork');
    const forkId: string = answer.body.session_id;
    book.ledger.sessions.add(forkId);
    if (told !== undefined) book.ledger.tell({ ...told, sessionId: forkId });
  }

  async #delete(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    if (book.isGone(sessionId)) return;
    book.ledger.release(sessionId);
    const answer = await client.json({ method: 'DELETE', path: `/sessions/${sessionId}` });
    if (answer.status === 204) book.ledger.deleted.add(sessionId);
    else this.#expect(answer, [204], 'delete');
  }

  async #create(): Promise<void> {
    const { client, book, engine } = this.#world;
    if (book.sessions.length >= MOST_SESSIONS) return;
    const startedAt = performance.now();
    const body = { model: MODEL.name, ...(this.#random.oneIn(2) && { system_prompt: 'You are patient.' }) };
    const answer = await client.json({ method: 'POST', path: '/sessions', body });
    if (answer.status === 201) book.ledger.sessions.add(answer.body.session_id);
    else if (!engine.wasBrokenSince(startedAt)) this.#expect(answer, [201], 'create');
  }

  async #list(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const answer = await client.json({ path: '/sessions?limit=1000' });
    this.#expect(answer, [200], 'list');
    const listed = answer.body.sessions.map(({ session_id: id }: { session_id: string }) => id);
    if (!listed.includes(sessionId) && !book.isGone(sessionId)) book.find(`the list misses ${sessionId}`);
    await this.#simple({ path: `/sessions/${sessionId}/turns?limit=20` }, sessionId, [200]);
  }

  /** The path ends at the head, and every answer that was told is in the tree as it was told. */
  async #read(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const told = book.ledger.messagesOf(sessionId).filter(({ turnId }) => turnId === null);
    const answer = await client.json({ path: `/sessions/${sessionId}/tree` });
    if (answer.status !== 200) return this.#expectGone(answer, sessionId, 'tree');
    type Shown = { readonly message_id: string; readonly content: string };
    const shown = new Map(
      answer.body.messages.map((message: Shown) => [message.message_id, message.content]),
    );
    for (const { messageId, content } of told) {
      if (shown.get(messageId) !== content)
        book.find(`${sessionId} shows ${messageId} as ${shown.get(messageId)}, not ${content}`);
    }
    await this.#simple({ path: `/sessions/${sessionId}` }, sessionId, [200]);
  }

  async #change(sessionId: string): Promise<void> {
    const prompt = {
      method: 'PUT',
      path: `/sessions/${sessionId}/system-prompt`,
      body: { content: 'You are brief.' },
    } as const;
    const title = {
      method: 'PATCH',
      path: `/sessions/${sessionId}`,
      body: { title: `Title ${this.#world.nextNumber()}` },
    } as const;
    if (this.#random.oneIn(2)) await this.#simple(prompt, sessionId, [200, 409]);
    else await this.#simple(title, sessionId, [200]);
  }

  async #simple(call: Call, sessionId: string, statuses: readonly number[]): Promise<void> {
    this.#expectGone(await this.#world.client.json(call), sessionId, call.path, statuses);
  }

  /** A message that is surely there. */
  #pickMessage(sessionId: string): string | null {
    const told = this.#world.book.ledger.messagesOf(sessionId).filter(({ turnId }) => turnId === null);
    return told.length === 0 ? null : this.#random.pick(told).messageId;
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
  #expectGone(answer: Answer, sessionId: string, what: string, statuses: readonly number[] = []): void {
    if (answer.status === 404 && this.#world.book.isGone(sessionId)) return;
    this.#expect(answer, statuses, what);
  }

  #expect({ status, body }: Answer, statuses: readonly number[], what: string): void {
    if (statuses.includes(status)) return;
    this.#world.book.find(`${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
  }
}
