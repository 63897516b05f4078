// What else can listen where an Ollama is expected: a program that speaks something other than HTTP, or TLS.
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

export interface RawListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Says these bytes once it has heard something, and closes. */
export function startRawListener(bytes: string | Buffer): Promise<RawListener> {
  const server = createServer((socket) => say(socket, bytes));
  return listen(server);
}

/** The same behind TLS, with a certificate that nobody knows (test/fixtures/self-signed). */
export function startTlsListener(bytes: string | Buffer): Promise<RawListener> {
  const read = (name: string) =>
    readFileSync(new URL(`../fixtures/self-signed/${name}.pem`, import.meta.url));
  const server = createTlsServer({ key: read('key'), cert: read('cert') }, (socket) => say(socket, bytes));
  // A client that does not trust it ends the handshake.
  server.on('tlsClientError', () => undefined);
  return listen(server);
}

function say(socket: Socket, bytes: string | Buffer): void {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
}

async function listen(server: Server): Promise<RawListener> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on a port, so the address is never a pipe's name.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
