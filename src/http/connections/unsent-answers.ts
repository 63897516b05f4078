// What waits for clients that do not read, over all connections.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';

/** As much as Node lets wait in a socket before it asks to stop: such answers are as good as sent. */
const SMALL_BYTES = 64 * 1024;
/** A reader that takes nothing for this long is gone. */
const STALLED_READER_MS = 60_000;

export class UnsentAnswers {
  readonly #maxBytes: number;
  readonly #waiting = new Set<Connection>();

  /** @param maxBytes what may wait in all; beyond it, the connections for which most waits are cut */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Looks after an answer from the moment that it is whole until it is sent. */
  follow(connection: Connection, answer: ServerResponse, socket: Socket): void {
    // It comes once, and a listener of `once` is three objects as long as the answer is under way.
    answer.on('prefinish', () => {
      if (answer.writableLength < SMALL_BYTES) return;
      this.#waiting.add(connection);
      answer.once('close', () => this.#waiting.delete(connection));
      socket.setTimeout(STALLED_READER_MS);
      // Before Node sets the time that a connection may be idle.
      answer.prependOnceListener('finish', () => socket.setTimeout(0));
      this.#cut();
    });
  }

  #cut(): void {
    const sizes = [...this.#waiting].map((connection) => ({ connection, bytes: connection.unsentBytes }));
    let total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    // One alone may be sent whatever it asked for.
    for (const { connection, bytes } of sizes.sort((a, b) => b.bytes - a.bytes).slice(0, -1)) {
      if (total <= this.#maxBytes) return;
      connection.destroy();
      this.#waiting.delete(connection);
      total -= bytes;
    }
  }
}
