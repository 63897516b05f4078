// The listening socket: start, stop in a way that later connects are refused, start again on the same port.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { freePort } from '../support/free-port.ts';

/** A server that can be taken away and brought back. */
export type Listener = {
  readonly port: number;
  readonly openSockets: number;
  /** From `stop` until the next `start`: connections that end now were closed by the fake. */
  readonly isStopped: boolean;
  stop(): Promise<void>;
  start(): Promise<void>;
};

/** Listens; port 0 takes a free one and keeps it over restarts, and nobody takes it meanwhile. */
export async function listen(host: string, port: number, onRequest: RequestListener): Promise<Listener> {
  const sockets = new Set<Socket>();
  let isStopped = false;
  // Go's server has no limits of time by default, and keeps idle connections open.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, onRequest);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bind(server, host, port === 0 ? await freePort(host) : port);
  const address = server.address() as AddressInfo; // a string only for pipes, null only when not listening

  async function stop(): Promise<void> {
    if (isStopped) return;
    isStopped = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
    await promise;
  }

  return {
    port: address.port,
    get openSockets() {
      return sockets.size;
    },
    get isStopped() {
      return isStopped;
    },
    stop,
    async start() {
      await bind(server, host, address.port);
      isStopped = false;
    },
  };
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
}
