// One request on its way and its answer as it comes: what undici tells, without the stream that it would build of it.
import type { Dispatcher } from 'undici';

/** So much waits for whoever reads before the other side is told to wait. */
const MAX_WAITING_BYTES = 64 * 1024;

/** What reads a body. One object for the whole of it: what waits for bytes holds no more than this. */
export interface BodyReader<T> {
  /**
   * @param bytes all that has come since the last time; null: there is nothing more
   * @returns null: it makes nothing of them, and wants the next ones
   */
  take(bytes: Buffer | null): T | null;
  /** @returns what the read throws instead */
  fail(error: unknown): unknown;
}

const WHOLE: BodyReader<IteratorResult<Buffer, void>> = {
  take: (value) => (value === null ? { value: undefined, done: true } : { value, done: false }),
  fail: (error) => error,
};

const WOKEN = Promise.resolve();

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const NO_HEADERS: Headers = {};

/** Has a lifetime: from the request to the end of the answer, an error, or whoever stops reading. */
export class HttpAnswer implements Dispatcher.DispatchHandler, AsyncIterableIterator<Buffer, void> {
  /** 0 before there is an answer. */
  statusCode = 0;
  headers = NO_HEADERS;
  readonly #signal: AbortSignal;
  /** Null: it has come, or will not. */
  #head: PromiseWithResolvers<this> | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Who waits for bytes or the end, and what takes what is made of them. */
  #reader: BodyReader<unknown> | null = null;
  #resolve: ((made: unknown) => void) | null = null;
  #isWoken = false;
  #isOver = false;
  #failure: Error | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** Once. @returns resolves when the body begins. @throws what the connection throws, or the reason of the signal at once */
  begun(): Promise<this> {
    this.#head = Promise.withResolvers();
    if (this.#failure !== null) this.#head.reject(this.#failure);
    return this.#head.promise;
  }

  /** What it says is not asked for any more. */
  forgetHead(): void {
    this.headers = NO_HEADERS;
  }

  readonly #abort = (): void => this.cancel(this.#signal.reason);

  /** Lets go of the connection, whatever it is doing: a request that waits for one is not made. Idempotent. */
  cancel(reason: Error): void {
    if (this.#isOver) return;
    this.#waiting = [];
    this.#end(reason);
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(this.#failure ?? new Error('Nobody waits for the answer.'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, statusCode: number, headers: Headers): void {
    // Not yet the answer.
    if (statusCode < 200) return;
    this.statusCode = statusCode;
    this.headers = headers;
    // Read above; a thousand bytes, as long as the answer lasts.
    controller.rawHeaders = null;
    this.#head?.resolve(this);
    this.#head = null;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    // A list that grows from nothing takes room for seventeen at once.
    if (this.#waiting.length === 0) this.#waiting = [chunk];
    else this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) controller.pause();
    this.#wakeReader();
  }

  onResponseEnd(): void {
    this.#end(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws as `read` does */
  next(): Promise<IteratorResult<Buffer, void>> {
    return this.read(WHOLE);
  }

  /**
   * Until the reader makes something. It is given all that has come in one: a read of the socket often brings many small
   * pieces, and each step of what is made of them costs more than a piece.
   * @throws what the connection threw, once all that came before is read; the reason of the signal at once
   */
  read<T>(reader: BodyReader<T>): Promise<T> {
    const made = new Promise<unknown>((resolve) => {
      this.#reader = reader;
      this.#resolve = resolve;
    });
    if (this.#waiting.length > 0 || this.#isOver) this.#wakeReader();
    // What this reader makes.
    return made as Promise<T>;
  }

  #serve(): void {
    this.#isWoken = false;
    const [reader, resolve] = [this.#reader, this.#resolve];
    const bytes = this.#takeWaiting();
    if (reader === null || (bytes === null && !this.#isOver)) return;
    let made: unknown;
    try {
      if (bytes === null && this.#failure !== null) throw this.#failure;
      made = reader.take(bytes);
    } catch (error) {
      made = Promise.reject(reader.fail(error));
    }
    if (made === null) return;
    this.#reader = null;
    this.#resolve = null;
    resolve?.(made);
  }

  /** The rest is not read: the connection cannot be used again. */
  return(): Promise<IteratorResult<Buffer, void>> {
    if (!this.#isOver) {
      this.#end(null);
      this.#controller?.abort(new Error('The rest of the answer is not read.'));
    }
    this.#waiting = [];
    return Promise.resolve({ value: undefined, done: true });
  }

  #end(failure: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#signal.removeEventListener('abort', this.#abort);
    if (failure !== null) this.#head?.reject(failure);
    this.#head = null;
    this.#wakeReader();
  }

  /** Whoever is woken runs when the read that brought the first piece has told the rest, too. */
  #wakeReader(): void {
    if (this.#reader === null || this.#isWoken) return;
    this.#isWoken = true;
    void WOKEN.then(() => this.#serve());
  }

  /** @returns null: nothing waits */
  #takeWaiting(): Buffer | null {
    const waiting = this.#waiting;
    if (waiting.length === 0) return null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#controller?.paused) this.#controller.resume();
    const [only] = waiting;
    return waiting.length === 1 && only !== undefined ? only : Buffer.concat(waiting);
  }
}
