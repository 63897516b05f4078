// Clients that do everything that a session can be asked for, until the process is killed under them.
import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import type { ChatRequest } from '../../src/contract/chat.ts';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, sequence, text, tokens, toolCalls } from '../fake-ollama/chat-script.ts';
import { cutAfter, everyMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import type { TestClient } from '../support/test-client.ts';
import type { Ledger } from './ledger.ts';

export const MODEL = { name: 'strict:latest', capabilities: ['completion', 'tools'], strictTemplate: true };

const TOKEN_MS = 3;
/** The first session has two, so that turns meet. */
const CLIENTS = [0, 0, 1];
const MOST_SESSIONS = 8;
/** What a turn of this load may fail with: a history that a strict engine refuses is none of them. */
const FAILURES = ['turn_cancelled', 'incomplete_response'];

/** The last user message says how the model behaves: its first word is the kind of the turn. */
export function behave({ messages = [] }: RequestBody): ChatScript {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const kind = /^\w+/.exec(messages[last]?.content ?? '')?.[0];
  const rounds = messages.slice(last).filter(({ tool_calls: calls }) => calls !== undefined).length;
  if (kind === 'tool' && rounds < 3) {
    const calls = Array.from({ length: randomInt(1, 4) }, (_, at) => ({
      name: 'look',
      args: { rounds, at },
    }));
    return script(sequence(tokens(randomInt(3)), toolCalls(calls)), everyMs(TOKEN_MS));
  }
  if (kind === 'cut') return script(text('a ', 'b ', 'c '), everyMs(TOKEN_MS), cutAfter(randomInt(1, 3)));
  if (kind === 'endless') return script(tokens(4), everyMs(TOKEN_MS), hangAfter(4));
  return script(tokens(randomInt(1, 30)), everyMs(TOKEN_MS));
}

/** What identifies a message over all folders and lives. */
let counter = 0;

export class MixedLoad {
  readonly #client: TestClient;
  readonly #ledger: Ledger;
  readonly #onAnswer: () => void;
  #isOver = false;

  /** @param onAnswer called with each event and each answer, once the ledger has it */
  constructor(client: TestClient, ledger: Ledger, onAnswer: () => void) {
    this.#client = client;
    this.#ledger = ledger;
    this.#onAnswer = onAnswer;
  }

  /** From now on connections may break. */
  expectKill(): void {
    this.#isOver = true;
  }

  /** Ends when the process has been killed. */
  async run(): Promise<void> {
    const sessionIds = [...this.#ledger.sessions];
    await Promise.all(CLIENTS.map((index) => this.#behave(sessionIds[index] ?? '')));
  }

  async #behave(sessionId: string): Promise<void> {
    const actions = [
      () => this.#stream(sessionId, this.#say('plain')),
      () => this.#stream(sessionId, { ...this.#say('plain'), on_busy: 'interrupt' }),
      () => this.#stream(sessionId, this.#say('tool')),
      () => this.#stream(sessionId, this.#say('tool')),
      () => this.#stream(sessionId, this.#say('cut')),
      () => this.#stream(sessionId, { message: null, mode: 'continue' }),
      () => this.#cancel(sessionId),
      () => this.#leave(sessionId),
      () => this.#plain(sessionId),
      () => this.#repeatable(sessionId),
      () => this.#editAndAnswer(sessionId),
      () => this.#switchBranch(sessionId),
      () => this.#fork(sessionId),
    ];
    while (!this.#isOver) {
      try {
        await actions[randomInt(actions.length)]?.();
        this.#onAnswer();
      } catch (error) {
        // A broken connection is what a kill does; anything else is a finding.
        if (!this.#isOver || !(error instanceof TypeError)) throw error;
      }
    }
  }

  #say(kind: string): { readonly message: string } {
    counter += 1;
    return { message: `${kind} ${counter}` };
  }

  async #stream(sessionId: string, body: ChatRequest, key?: string): Promise<void> {
    for await (const _event of this.#events(sessionId, body, key));
  }

  /** The events of a turn, each in the ledger before it is yielded. @yields their names */
  async *#events(
    sessionId: string,
    body: ChatRequest,
    key?: string,
  ): AsyncGenerator<{ readonly name: string; readonly turnId: string; readonly abort: () => void }> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    const answer = await this.#client.stream(`/chat/${sessionId}/stream`, body, headers);
    const { status, events, abort } = answer;
    if (status !== 200) {
      // Nothing to answer yet.
      expect(status).toBe(400);
      abort();
      return;
    }
    const turnId = answer.headers.get('x-turn-id') ?? '';
    if (key !== undefined) this.#ledger.keys.push({ sessionId, key, body, turnId });
    let last = 0;
    for await (const event of events) {
      expect(event.id).toBe(last + 1);
      last = event.id;
      this.#ledger.hear(event, sessionId, { asked: body.message ?? null, turnId });
      if (event.event === 'error') expect(FAILURES).toContain(event.data.code);
      this.#onAnswer();
      yield { name: event.event, turnId, abort };
    }
    if (!this.#isOver) expect(this.#ledger.turns.get(turnId)?.state).not.toBeNull();
  }

  /** A stream that never ends by itself. */
  async #cancel(sessionId: string): Promise<void> {
    let deltas = 0;
    for await (const { name, turnId } of this.#events(sessionId, this.#say('endless'))) {
      if (name === 'content_delta') deltas += 1;
      if (name !== 'content_delta' || deltas !== 2) continue;
      const { status, body } = await this.#client.post(`/turns/${turnId}/cancel?wait=${randomInt(2) === 0}`);
      expect(status).toBe(200);
      expect(['running', 'cancelled']).toContain(body.state);
    }
  }

  async #leave(sessionId: string): Promise<void> {
    try {
      for await (const { name, abort } of this.#events(sessionId, this.#say('endless'))) {
        if (name === 'content_delta') abort();
      }
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }

  async #plain(sessionId: string): Promise<void> {
    const asked = this.#say('plain');
    const { status, body } = await this.#client.post(`/chat/${sessionId}`, asked);
    // Another client may have interrupted it.
    expect([200, 409]).toContain(status);
    if (status !== 200) return;
    const { message_id: messageId, content } = body.message;
    this.#ledger.tell({ sessionId, messageId, role: 'assistant', content, turnId: null });
  }

  async #repeatable(sessionId: string): Promise<void> {
    counter += 1;
    await this.#stream(sessionId, this.#say('plain'), `key-${counter}`);
  }

  async #editAndAnswer(sessionId: string): Promise<void> {
    const messages = await this.#client.messages(sessionId);
    const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
    const index = users[randomInt(users.length || 1)];
    if (index === undefined) return;
    const { message: content } = this.#say('edited');
    const { status, body } = await this.#client.request('PUT', `/sessions/${sessionId}/messages/${index}`, {
      content,
    });
    // The path may have changed meanwhile, and may be answered.
    expect([200, 400, 409]).toContain(status);
    if (status !== 200) return;
    const { message_id: messageId } = body.message;
    this.#ledger.tell({ sessionId, messageId, role: 'user', content, turnId: null });
    await this.#stream(sessionId, { message: null });
  }

  /** A message that is surely there. */
  #pick(sessionId: string): string | undefined {
    const told = this.#ledger.messagesOf(sessionId).filter(({ turnId }) => turnId === null);
    return told[randomInt(told.length || 1)]?.messageId;
  }

  async #switchBranch(sessionId: string): Promise<void> {
    const messageId = this.#pick(sessionId);
    if (messageId === undefined) return;
    const { status } = await this.#client.request('PUT', `/sessions/${sessionId}/head`, {
      message_id: messageId,
    });
    expect([200, 409]).toContain(status);
  }

  /** Forks until there are many; then deletes one again. */
  async #fork(sessionId: string): Promise<void> {
    const messageId = this.#pick(sessionId);
    if (messageId === undefined) return;
    const { status, body } = await this.#client.post(`/sessions/${sessionId}/fork`, {
      message_id: messageId,
    });
    expect(status).toBe(201);
    const told = this.#ledger.messages.get(`${sessionId}/${messageId}`);
    const forkId: string = body.session_id;
    this.#ledger.sessions.add(forkId);
    if (told !== undefined) this.#ledger.tell({ ...told, sessionId: forkId });
    if (this.#ledger.sessions.size < MOST_SESSIONS) return;
    this.#ledger.release(forkId);
    const gone = await this.#client.request('DELETE', `/sessions/${forkId}`);
    expect(gone.status).toBe(204);
    this.#ledger.deleted.add(forkId);
  }
}
