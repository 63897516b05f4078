// How often a server of this process hands something to its sockets: each time is a call of the system, which costs more
// than all that a token costs besides.
import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

export interface SocketWrites {
  /** What was handed over in one go, in the order of the writes. */
  readonly texts: readonly string[];
  stop(): void;
}

/** Counts from now on, for connections that are made from now on. @param port of the server */
export function countSocketWrites(port: number): SocketWrites {
  const texts: string[] = [];
  const follow = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) noteWrites(socket, texts);
  };
  diagnostics.subscribe('net.server.socket', follow);
  return { texts, stop: () => diagnostics.unsubscribe('net.server.socket', follow) };
}

function noteWrites(socket: Socket, texts: string[]): void {
  const { _write: write, _writev: writev } = socket;
  socket._write = (chunk, encoding, done) => {
    texts.push(textOf(chunk));
    write.call(socket, chunk, encoding, done);
  };
  if (writev === undefined) return;
  socket._writev = (chunks, done) => {
    texts.push(chunks.map(({ chunk }) => textOf(chunk)).join(''));
    writev.call(socket, chunks, done);
  };
}

function textOf(chunk: unknown): string {
  return typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString('utf8');
}
