// A turn as its reader has it: events, text, views or the answer; and the three ways out: cancel, leave, lose.

import { isMochiError, MochiError } from './errors.ts';
import { type Follower, followStream, isLost } from './follow-stream.ts';
import type { Connection, Link } from './options.ts';
import { unlessAborted } from './pause.ts';
import type { Send } from './send.ts';
import { answerOf } from './turn-answer.ts';
import { isTurnEvent, type TurnEvent } from './turn-event.ts';
import { textsOf } from './turn-text.ts';
import type { TurnView } from './turn-view.ts';
import { viewsOf } from './turn-views.ts';
import type { ChatAnswer, Turn as TurnRecord } from './wire.ts';

export interface Turn extends AsyncIterable<TurnEvent> {
  /** Known when the server has accepted the turn. */
  readonly id: Promise<string>;
  /** Reads to the end. @throws MochiError what the turn failed with */
  answer(): Promise<ChatAnswer>;
  /** The text of the answer as it comes; what a model writes before it calls a tool is part of it. */
  text(): AsyncIterable<string>;
  /** States, the newest wins: a slow reader misses some, and none waits. */
  view(): AsyncIterable<TurnView>;
  /** The model stops, and the part is kept. `wait`: answers when it has stopped. */
  cancel(options?: { readonly wait?: boolean }): Promise<TurnRecord>;
  /** Watches no more; the turn goes on. */
  leave(): void;
  /** Gives up the connection for a new one, at once: after a sleep, say. Ends a rest. */
  renew(): void;
  /** Holds no connection until `renew`: what there is is asked for every `everyMs` (10 000). For pages that nobody looks at. */
  rest(everyMs?: number): void;
}

export interface TurnStart {
  /** Asks for the turn, and may be asked again; null: it is there. */
  readonly post: ((polls: boolean, signal: AbortSignal) => Promise<Response>) | null;
  /** Null: not known yet. */
  readonly turnId: string | null;
  /** The last event that was seen; −1: none. */
  readonly after: number;
  /** What the turn does when its reader breaks off. */
  readonly leave: 'cancel' | 'continue';
  readonly signal?: AbortSignal | undefined;
  readonly onLink?: ((link: Link) => void) | undefined;
}

export interface TurnDeps {
  readonly connection: Connection;
  readonly send: Send;
}

/** Begins at once; has one reader. */
export function openTurn(deps: TurnDeps, start: TurnStart): Turn {
  const watch = new TurnWatch(deps, start);
  let isRead = false;
  const read = () => {
    if (isRead) throw new Error('A turn has one reader: watch it again with turns.watch(id).');
    isRead = true;
    return watch.events();
  };
  return {
    id: watch.id,
    [Symbol.asyncIterator]: read,
    answer: () => answerOf(read(), (turnId) => openTurn(deps, { ...WATCHED, turnId }).answer()),
    text: () => textsOf(read(), () => watch.leave()),
    view: () => viewsOf(read(), () => watch.stop()),
    cancel: (options) => watch.cancel(options?.wait ?? false),
    leave: () => watch.leave(),
    renew: () => watch.rest(null),
    rest: (everyMs = REST_MS) => watch.rest(everyMs),
  };
}

const REST_MS = 10_000;

const WATCHED = { post: null, after: -1, leave: 'continue' } as const;

/** An answer that nobody reads yet, and what ends it. */
interface Posted {
  readonly response: Response;
  readonly body: AbortController;
  /** It was not asked to end with what there is. */
  readonly follows: boolean;
}

class TurnWatch {
  readonly id: Promise<string>;
  readonly follower: Follower;
  readonly #deps: TurnDeps;
  readonly #start: TurnStart;
  readonly #reading = new AbortController();
  #known: (id: string) => void = () => undefined;
  #unknown: (reason: unknown) => void = () => undefined;
  #turnId: string | null;
  #posted: Promise<Posted> | null = null;
  #hasLeft = false;
  #hasEnded = false;

  constructor(deps: TurnDeps, start: TurnStart) {
    this.#deps = deps;
    this.#start = start;
    this.#turnId = start.turnId;
    this.id = new Promise((resolve, reject) => {
      this.#known = resolve;
      this.#unknown = reject;
    });
    // Whoever reads the events is told as well.
    this.id.catch(() => undefined);
    this.follower = {
      signal: this.#reading.signal,
      onLink: start.onLink ?? (() => undefined),
      renew: () => undefined,
    };
    const { signal } = start;
    if (start.turnId !== null) this.#known(start.turnId);
    if (signal?.aborted) {
      this.#reading.abort(signal.reason);
      this.#unknown(signal.reason);
      return;
    }
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (start.turnId === null) this.#posted = this.#post(deps.connection.transport === 'poll');
  }

  readonly #abort = () => void this.stop(this.#start.signal?.reason);

  async *events(): AsyncGenerator<TurnEvent, void> {
    const { connection } = this.#deps;
    let hasFailed = false;
    let last = this.#start.after;
    try {
      const source = { open: this.#open, isLost: (error: MochiError) => this.#isLost(error) };
      for await (const frame of followStream(connection, source, this.follower, this.#start.after)) {
        if (frame.id !== null && frame.id <= last) continue;
        last = frame.id ?? last;
        if (!isTurnEvent(frame)) {
          if (frame.id !== null) connection.onUnknown?.(frame);
          continue;
        }
        this.#learn(frame);
        this.#hasEnded = frame.event === 'done';
        yield frame;
        if (this.#hasEnded) return;
      }
      yield* this.#end();
    } catch (error) {
      hasFailed = true;
      if (this.#hasLeft) return;
      // A request that is still under way will say which turn it is.
      if (!this.#reading.signal.aborted) this.#unknown(error);
      throw error;
    } finally {
      this.#start.signal?.removeEventListener('abort', this.#abort);
      if (!this.#hasEnded && !hasFailed) await this.stop();
    }
  }

  async cancel(wait: boolean): Promise<TurnRecord> {
    const path = `/turns/${await this.id}/cancel`;
    return this.#deps.send(
      { method: 'POST', path, query: wait ? { wait } : {}, repeated: 'safe' },
      (response) => response.json() as Promise<TurnRecord>,
    );
  }

  leave(): void {
    this.#hasLeft = true;
    this.#reading.abort();
  }

  rest(everyMs: number | null): void {
    this.follower.restMs = everyMs;
    this.follower.renew();
  }

  /** The reader broke off. What it asked for is asked for first: a turn that nobody knows cannot be cancelled. */
  async stop(reason?: unknown): Promise<void> {
    if (this.#reading.signal.aborted || this.#hasEnded) return;
    this.#reading.abort(reason);
    if (this.#start.leave === 'cancel') await this.cancel(false).catch(() => undefined);
  }

  readonly #open = async (place: {
    after: number;
    polls: boolean;
    signal: AbortSignal;
  }): Promise<Response> => {
    const { after, polls, signal } = place;
    if (this.#turnId === null || this.#posted !== null) {
      this.#posted ??= this.#post(polls);
      const { response, body, follows } = await this.#posted;
      // Whoever gave up this attempt has begun another, which takes it.
      if (signal.aborted) return response;
      this.#posted = null;
      if (!(polls && follows) || this.#turnId === null) {
        signal.addEventListener('abort', () => body.abort());
        return response;
      }
      // It was to rest before the answer came.
      body.abort();
    }
    return this.#deps.send(
      {
        method: 'GET',
        path: `/turns/${this.#turnId}/stream`,
        query: { after: after > 0 ? after : undefined, follow: polls ? false : undefined },
        accept: 'events',
        repeated: 'never',
        withinMs: this.#deps.connection.retry.idleMs,
        signal,
      },
      (response) => response,
    );
  };

  /** Not ended by the end of the reading: only its answer says which turn it is. */
  #post(polls: boolean): Promise<Posted> {
    const body = new AbortController();
    const { post } = this.#start;
    const posted = (async () => {
      if (post === null) throw new Error('There is no turn to watch.');
      const response = await post(polls, body.signal);
      const turnId = response.headers.get('x-turn-id');
      if (turnId !== null) this.#learnId(turnId);
      const { signal } = this.#reading;
      const onAbort = () => body.abort(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      return { response, body, follows: !polls };
    })();
    posted.catch((error: unknown) => {
      body.abort();
      if (isMochiError(error) && error.code === 'stalled') this.#posted = null;
      else this.#unknown(error);
    });
    return posted;
  }

  /** A request that got no answer in all its tries is not made for a minute more. */
  #isLost(error: MochiError): boolean {
    return this.#turnId === null ? error.code === 'stalled' : isLost(error);
  }

  #learn(event: TurnEvent): void {
    if (event.event === 'turn_start') this.#learnId(event.data.turn_id);
    if (event.event === 'snapshot') this.#learnId(event.data.turn.turn_id);
  }

  #learnId(turnId: string): void {
    this.#turnId = turnId;
    this.#known(turnId);
  }

  /** The stream has nothing more to tell: every event was seen, `done` too, by whoever asks after one of them. */
  async *#end(): AsyncGenerator<TurnEvent, void> {
    const path = `/turns/${await this.id}`;
    const { signal } = this.#reading;
    const turn = await unlessAborted(
      this.#deps.send(
        { method: 'GET', path, repeated: 'safe' },
        (response) => response.json() as Promise<TurnRecord>,
      ),
      signal,
    );
    const { session_id, turn_id, state, last_event_id: id } = turn;
    this.#hasEnded = true;
    yield { id, event: 'done', data: { session_id, turn_id, state } };
  }
}
