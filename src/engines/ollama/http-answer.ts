// One request on its way and its answer as it comes: what undici tells, without the stream that it would build of it.
import type { Dispatcher } from 'undici';

/** So much waits for whoever reads before the other side is told to wait. */
const MAX_WAITING_BYTES = 64 * 1024;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Has a lifetime: from the request to the end of the answer, an error, or whoever stops reading. */
export class HttpAnswer implements Dispatcher.DispatchHandler, AsyncIterableIterator<Buffer, void> {
  /** 0 before there is an answer. */
  statusCode = 0;
  headers: Headers = {};
  readonly #signal: AbortSignal;
  /** Null: it has come, or will not. */
  #head: PromiseWithResolvers<this> | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of whoever waits for bytes or the end: resolved when there is something to take. */
  #wake: (() => void) | null = null;
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
    return this.read((value) => (value === null ? { value: undefined, done: true } : { value, done: false }));
  }

  /**
   * All that has come since the last time, in one: a read of the socket often brings many small pieces, and each step
   * of what is made of them costs more than a piece.
   * @param use is given it; null: there is nothing more
   * @throws what the connection threw, once all that came before is read; the reason of the signal at once
   */
  read<T>(use: (bytes: Buffer | null) => T): Promise<T> {
    return new Promise<void>((resolve) => {
      if (this.#waiting.length > 0 || this.#isOver) resolve();
      else this.#wake = resolve;
    }).then(() => {
      // Whoever is woken runs when the read that brought the first piece has told the rest, too.
      const bytes = this.#takeWaiting();
      if (bytes === null && this.#failure !== null) throw this.#failure;
      return use(bytes);
    });
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

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = null;
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
