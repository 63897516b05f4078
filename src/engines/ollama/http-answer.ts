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
  /** Resolves when the body begins. @throws what the connection throws, or the reason of the signal at once */
  readonly begun: Promise<this>;
  readonly #signal: AbortSignal;
  readonly #head = Promise.withResolvers<this>();
  #controller: Dispatcher.DispatchController | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #reader: PromiseWithResolvers<IteratorResult<Buffer, void>> | null = null;
  #isOver = false;
  #failure: Error | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.begun = this.#head.promise;
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** Lets go of the connection, whatever it is doing: a request that waits for one is not made. */
  readonly #abort = (): void => {
    const { reason } = this.#signal;
    this.#end(reason);
    this.#controller?.abort(reason);
  };

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
    this.#head.resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#reader !== null) {
      this.#reader.resolve({ value: chunk, done: false });
      this.#reader = null;
      return;
    }
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) controller.pause();
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

  /** @throws what the connection threw, once all that came before is read; the reason of the signal at once */
  next(): Promise<IteratorResult<Buffer, void>> {
    const chunk = this.#waiting.shift();
    if (chunk !== undefined) {
      this.#waitingBytes -= chunk.length;
      if (this.#waitingBytes === 0 && this.#controller?.paused) this.#controller.resume();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
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
    if (failure !== null && this.#signal.aborted) this.#waiting = [];
    if (failure === null) this.#reader?.resolve({ value: undefined, done: true });
    else {
      this.#reader?.reject(failure);
      this.#head.reject(failure);
    }
    this.#reader = null;
  }
}
