// One of many clients that do everything that a session can be asked for, at random, and hold each answer against
// what it may be.
import type { StreamedEvent } from '../test/support/read-events.ts';
import type { Random } from './random.ts';
import { numbersFault } from './soak-book.ts';
import { type Chat, type Listener, SoakChats, type SoakWorld } from './soak-chats.ts';
import type { Call } from './soak-client.ts';
import { MODEL, pickKind } from './soak-engine.ts';

/** Sessions that there are at most. */
const MOST_SESSIONS = 96;
/** A turn is left or cancelled after at most so many events. */
const MOST_EVENTS_SEEN = 8;
export class SoakActor {
  readonly #world: SoakWorld;
  readonly #random: Random;
  readonly #chats: SoakChats;
  readonly #operations: readonly (readonly [
    name: string,
    weight: number,
    run: (id: string) => Promise<unknown>,
  ])[];

  constructor(world: SoakWorld, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#chats = new SoakChats(world, random);
    this.#operations = [
      ['send', 12, (id) => this.#chats.plain(id)],
      ['stream', 24, (id) => this.#chats.stream(id, this.#chats.ask(pickKind(this.#random)))],
      ['regenerate', 5, (id) => this.#chats.stream(id, { message: null })],
      ['continue', 4, (id) => this.#chats.stream(id, { message: null, mode: 'continue' })],
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
      if (!bySession || answer.body.detail.error.code !== 'no_active_turn')
        this.#chats.expect(answer, [200], path);
    };
    await this.#chats.stream(sessionId, this.#chats.ask('endless'), { listen });
  }

  async #leave(sessionId: string): Promise<void> {
    const until = this.#random.below(MOST_EVENTS_SEEN) + 1;
    const kind = this.#random.oneIn(2) ? 'endless' : pickKind(this.#random);
    const listen: Listener = ({ id }, { cut }) => {
      if (id === until) cut();
    };
    await this.#chats.stream(sessionId, this.#chats.ask(kind), { listen });
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
      if (stream.status !== 200) return this.#chats.expectGone(stream, turn.sessionId, 'watch');
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
    const body: Chat = { ...this.#chats.ask(kind), on_busy: 'queue' };
    const key = `key-${this.#world.nextNumber()}`;
    const how = { key, since: performance.now() };
    const first = await Promise.all([
      this.#chats.stream(sessionId, body, how),
      this.#chats.stream(sessionId, body, how),
    ]);
    const again = await this.#chats.stream(sessionId, body, how);
    const turns = new Set([...first, again]);
    if (book.isGone(sessionId) || turns.has(null)) return;
    if (turns.size !== 1) book.find(`${key} is of ${[...turns].join(', ')}`);
  }

  async #edit(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const shown = await client.json({ path: `/sessions/${sessionId}/messages` });
    if (shown.status !== 200) return this.#chats.expectGone(shown, sessionId, 'messages');
    const messages: { role: string }[] = shown.body.messages;
    const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
    if (users.length === 0) return;
    const path = `/sessions/${sessionId}/messages/${this.#random.pick(users)}`;
    const { message: content } = this.#chats.ask(pickKind(this.#random));
    const answer = await client.json({ method: 'PUT', path, body: { content } });
    // The path may have changed since, and may be answered.
    if (answer.status !== 200) return this.#chats.expectGone(answer, sessionId, 'edit', [400, 409]);
    if (!book.isGone(sessionId) && content !== null) {
      const { message_id: messageId } = answer.body.message;
      book.ledger.tell({ sessionId, messageId, role: 'user', content, turnId: null });
    }
    await this.#chats.stream(sessionId, { message: null, ...this.#chats.policies() });
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
    if (answer.status !== 201) return this.#chats.expectGone(answer, sessionId, 'fork');
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
    else this.#chats.expect(answer, [204], 'delete');
  }

  async #create(): Promise<void> {
    const { client, book, engine } = this.#world;
    if (book.sessions.length >= MOST_SESSIONS) return;
    const startedAt = performance.now();
    const body = { model: MODEL.name, ...(this.#random.oneIn(2) && { system_prompt: 'You are patient.' }) };
    const answer = await client.json({ method: 'POST', path: '/sessions', body });
    if (answer.status === 201) book.ledger.sessions.add(answer.body.session_id);
    else if (!engine.wasBrokenSince(startedAt)) this.#chats.expect(answer, [201], 'create');
  }

  async #list(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const answer = await client.json({ path: '/sessions?limit=1000' });
    this.#chats.expect(answer, [200], 'list');
    const listed = answer.body.sessions.map(({ session_id: id }: { session_id: string }) => id);
    if (!listed.includes(sessionId) && !book.isGone(sessionId)) book.find(`the list misses ${sessionId}`);
    await this.#simple({ path: `/sessions/${sessionId}/turns?limit=20` }, sessionId, [200]);
  }

  /** The path ends at the head, and every answer that was told is in the tree as it was told. */
  async #read(sessionId: string): Promise<void> {
    const { client, book } = this.#world;
    const told = book.ledger.messagesOf(sessionId).filter(({ turnId }) => turnId === null);
    const answer = await client.json({ path: `/sessions/${sessionId}/tree` });
    if (answer.status !== 200) return this.#chats.expectGone(answer, sessionId, 'tree');
    type Shown = { readonly message_id: string; readonly content: string };
    const shown = new Map<string, string>(
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
    this.#chats.expectGone(await this.#world.client.json(call), sessionId, call.path, statuses);
  }

  /** A message that is surely there. */
  #pickMessage(sessionId: string): string | null {
    const told = this.#world.book.ledger.messagesOf(sessionId).filter(({ turnId }) => turnId === null);
    return told.length === 0 ? null : this.#random.pick(told).messageId;
  }
}
