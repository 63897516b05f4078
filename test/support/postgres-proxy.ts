// Proxies between a client and PostgreSQL: one that loses connections at a chosen moment, and one that gives each
// transaction another connection, as poolers do in transaction mode.
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface PostgresProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** What becomes of a connection on which a statement of this text is sent. */
export type Loss = 'passes' | 'before it arrives' | 'before it is answered';

/** @param lossOf asked with everything that a client sends */
export function startLosingProxy(target: string, lossOf: (sent: string) => Loss): Promise<PostgresProxy> {
  return listen(target, (client, open) => {
    const server = open();
    let isMute = false;
    client.on('data', (chunk) => {
      const loss = lossOf(chunk.toString('latin1'));
      if (loss === 'before it arrives') return cut(client, server);
      if (loss === 'before it is answered') isMute = true;
      server.write(chunk);
    });
    server.on('data', (chunk) => (isMute ? cut(client, server) : client.write(chunk)));
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  });
}

function cut(client: Socket, server: Socket): void {
  client.resetAndDestroy();
  // The server hears of it in order: what it was asked before stays done.
  server.end();
}

/** The frame with which a server says that it is ready, and in no transaction. */
const AT_REST = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Everything up to that. */
async function untilAtRest(server: Socket, told: (chunk: Buffer) => void): Promise<Buffer> {
  const said: Buffer[] = [];
  return new Promise((resolve) => {
    server.removeAllListeners('data').on('data', (chunk) => {
      told(chunk);
      said.push(chunk);
      const all = Buffer.concat(said);
      if (all.subarray(-AT_REST.length).equals(AT_REST)) resolve(all);
    });
  });
}

/** The last connection that has become free is given to the next who begins something. The server lets everybody in. */
export function startPoolingProxy(target: string): Promise<PostgresProxy> {
  const free: Socket[] = [];
  return listen(target, (client, open) => {
    let startup: Buffer | null = null;
    let server: Promise<Socket> | null = null;
    const connected = async (hello: Buffer) => {
      const fresh = open();
      fresh.write(hello);
      return { fresh, greeting: await untilAtRest(fresh, () => undefined) };
    };
    const take = async (hello: Buffer) => {
      const taken = free.pop() ?? (await connected(hello)).fresh;
      void untilAtRest(taken, (chunk) => client.write(chunk)).then(() => {
        free.push(taken);
        server = null;
      });
      return taken;
    };
    client.on('data', (chunk) => {
      if (startup === null) {
        startup = chunk;
        void connected(chunk).then(({ fresh, greeting }) => {
          free.push(fresh);
          client.write(greeting);
        });
      } else if (chunk[0] === 'X'.charCodeAt(0)) client.end();
      else {
        server ??= take(startup);
        void server.then((taken) => taken.write(chunk));
      }
    });
  });
}

async function listen(
  target: string,
  serve: (client: Socket, open: () => Socket) => void,
): Promise<PostgresProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // A cut connection is what this is for.
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const url = new URL(target);
  const upstream = Number(url.port);
  const server: Server = createServer((client) => {
    serve(keep(client), () => keep(connect(upstream, '127.0.0.1')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url.port = String(address.port);
  return {
    url: url.href,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
