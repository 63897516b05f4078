// One connection of a client: a few requests at once, the rest stays unread until there are answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeGently, isClosing } from './close-gently.ts';
import { probeHalfClosed } from './probe-half-closed.ts';

/** Requests of one connection that may be under way: what is pipelined behind them waits in the socket. */
const MAX_UNDER_WAY = 4;
/** What a client may send on after its answer, before it is cut. */
const MAX_SURPLUS_BYTES = 16 * 1024 ** 2;

const NONE: readonly ServerResponse[] = [];

const HEAD_END = '\r\n\r\n';

export class Connection {
  readonly #socket: Socket;
  /** Node's own, called as the socket's. */
  readonly #parse: ((bytes: Buffer) => void) | undefined;
  /** In the order of their requests; the first is the one that is sent. */
  #answers: readonly ServerResponse[] = NONE;
  /** The request that was begun last. */
  #latest: IncomingMessage | null = null;
  /** Of its body, where its length was told. */
  #bytesToCome = 0;
  #surplus = 0;
  #isHeld = false;

  /** @param socket with the server's own listeners on it */
  constructor(socket: Socket) {
    this.#socket = socket;
    // Node parses all that one read brought, thousands of small requests among it. Here it gets one at a time.
    const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    this.#parse = parse;
    // Not all at once: the socket's list of listeners would become a dictionary, three times as large.
    if (parse !== undefined) socket.off('data', parse);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    const { destroySoon } = socket;
    // What ends a connection after its last answer.
    socket.destroySoon = () => (this.#isReadToItsEnd ? destroySoon.call(socket) : closeGently(socket));
    socket.on('end', () => probeHalfClosed(socket, () => this.#current));
  }

  /** What waits for the client to read it. */
  get unsentBytes(): number {
    let waiting = this.#socket.writableLength;
    // Only the first is in the socket. Its own length includes that of the socket.
    for (const answer of this.#answers) if (answer !== this.#current) waiting += answer.writableLength;
    return waiting;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** A request has begun. */
  begin(request: IncomingMessage, answer: ServerResponse): void {
    this.#latest = request;
    this.#bytesToCome = Number(request.headers['content-length'] ?? 0);
    this.#surplus = 0;
    this.#answers = this.#answers.concat(answer);
    answer.on('close', () => {
      this.#answers = this.#answers.filter((other) => other !== answer);
      if (!this.#isHeld || this.#isFull) return;
      this.#isHeld = false;
      this.#socket.resume();
    });
  }

  get #current(): ServerResponse | null {
    return this.#answers[0] ?? null;
  }

  get #isReadToItsEnd(): boolean {
    return this.#isBetweenRequests && this.#socket.readableLength === 0;
  }

  get #isBetweenRequests(): boolean {
    return this.#latest?.complete !== false;
  }

  get #isFull(): boolean {
    return this.#answers.length >= MAX_UNDER_WAY && this.#isBetweenRequests;
  }

  #read(bytes: Buffer): void {
    // Whoever let it flow again.
    this.#isHeld = false;
    let at = 0;
    while (at < bytes.length && !isClosing(this.#socket) && !this.#socket.destroyed) {
      // Node pauses it itself where answers are not taken, and lets it flow when they are: that is left to Node.
      if (!this.#socket.isPaused() && this.#isFull) {
        this.#isHeld = true;
        this.#socket.pause();
      }
      if (this.#socket.isPaused()) {
        this.#socket.unshift(bytes.subarray(at));
        return;
      }
      const end = this.#endOfPiece(bytes, at);
      this.#countSurplus(end - at);
      // Most reads are one piece.
      this.#parse?.call(this.#socket, at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
      at = end;
    }
  }

  /** No piece holds more than one head, so that no more than one request begins in it. */
  #endOfPiece(bytes: Buffer, start: number): number {
    if (this.#bytesToCome > 0) {
      const length = Math.min(this.#bytesToCome, bytes.length - start);
      this.#bytesToCome -= length;
      return start + length;
    }
    const headEnd = bytes.indexOf(HEAD_END, start);
    return headEnd === -1 ? bytes.length : headEnd + HEAD_END.length;
  }

  /** An answer may come before the end of its request. The rest is dropped, but not for ever. */
  #countSurplus(length: number): void {
    if (this.#answers.length > 0 || this.#isBetweenRequests) return;
    this.#surplus += length;
    if (this.#surplus > MAX_SURPLUS_BYTES) this.#socket.destroy();
  }
}
