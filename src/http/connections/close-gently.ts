// The end of a connection whose client may still be sending: closed at once, its last answer could be lost.
import type { Duplex } from 'node:stream';

/** How long a client may take to read an answer that was the last one, and to stop sending. */
const LAST_WORDS_MS = 2000;
/** How much it may still send: larger bodies than any that is taken by default. */
const MAX_DROPPED_BYTES = 16 * 1024 ** 2;

/** Connections that have had their last answer. What still comes on them is no further error. */
const closing = new WeakSet<Duplex>();

export function isClosing(socket: Duplex): boolean {
  return closing.has(socket);
}

/** Says the last words and that nothing follows, then reads and drops what still comes, for a while. */
export function closeGently(socket: Duplex, lastWords?: string): void {
  if (closing.has(socket)) return;
  closing.add(socket);
  // It may have broken meanwhile; `close` follows.
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(), LAST_WORDS_MS);
  socket.once('close', () => clearTimeout(timer));
  let dropped = 0;
  socket.removeAllListeners('data');
  socket.on('data', (bytes: Buffer) => {
    dropped += bytes.length;
    if (dropped > MAX_DROPPED_BYTES) socket.destroy();
  });
  socket.resume();
  socket.end(lastWords);
}
