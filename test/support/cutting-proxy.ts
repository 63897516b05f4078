// A TCP proxy between a client and a server that does to connections what networks do.
import { connect, createServer, type Socket } from 'node:net';

/** What becomes of one connection; the proxy asks for each in turn. */
interface Fate {
  /** Closed at once, without a byte. */
  readonly refuses?: boolean;
  /** Cut after so many bytes of answers, with a reset. */
  readonly cutAfter?: number;
  /** The same, but as if the answer had ended there: without the last chunk, and without an error of the socket. */
  readonly endAfter?: number;
  /** So long after the last byte it is cut: a browser throws away what it has not read by then. Default: at once. */
  readonly cutLaterMs?: number;
  /** After so many bytes nothing comes any more, and the connection stays. */
  readonly mutesAfter?: number;
  /** Answered by the proxy itself, as a portal or a gateway would. */
  readonly answers?: string;
  /** The request reaches the server; the answer is dropped, and the connection cut. */
  readonly losesAnswer?: boolean;
}

export interface CuttingProxy {
  readonly url: string;
  /** First lines of the requests, in order. */
  readonly requests: readonly string[];
  /** For the connections to come, in order; after the last one everything passes. */
  plan(...fates: readonly Fate[]): void;
  /** For each connection to come, whatever was planned. */
  always(fate: (request: string, index: number) => Fate): void;
  /** Cuts every connection there is. */
  dropAll(): void;
  /** Another server, at another port. */
  redirect(url: string): void;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let planned: Fate[] = [];
  let choose: ((request: string, index: number) => Fate) | null = null;
  let { port } = new URL(target);

  const server = createServer((client) => {
    keep(client);
    let upstream: Socket | null = null;
    client.on('data', (chunk) => {
      if (upstream !== null) {
        upstream.write(chunk);
        return;
      }
      const [line = ''] = chunk.toString('latin1').split('\r\n', 1);
      requests.push(line);
      const fate = choose?.(line, requests.length - 1) ?? planned.shift() ?? {};
      if (fate.refuses) client.resetAndDestroy();
      else if (fate.answers !== undefined) client.end(fate.answers);
      else {
        upstream = open(client, fate);
        upstream.write(withoutReuse(chunk));
      }
    });
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    // A cut connection is what this is for.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  }

  function open(client: Socket, fate: Fate): Socket {
    const upstream = connect(Number(port), '127.0.0.1');
    keep(upstream);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      if (fate.mutesAfter === undefined || left > 0) client.destroySoon();
    });
    let left = fate.cutAfter ?? fate.endAfter ?? fate.mutesAfter ?? Number.POSITIVE_INFINITY;
    upstream.on('data', (chunk) => {
      if (left > 0 && !fate.losesAnswer) client.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (fate.losesAnswer) client.resetAndDestroy();
      else if (left <= 0 && fate.cutAfter !== undefined) later(() => client.resetAndDestroy(), fate);
      else if (left <= 0 && fate.endAfter !== undefined) later(() => client.destroySoon(), fate);
    });
    return upstream;
  }

  function later(cut: () => void, { cutLaterMs }: Fate): void {
    if (cutLaterMs === undefined) cut();
    else setTimeout(cut, cutLaterMs);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    plan(...fates) {
      planned = [...fates];
      choose = null;
    },
    always(fate) {
      choose = fate;
    },
    dropAll() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    redirect(url) {
      ({ port } = new URL(url));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Each request has a connection, and so a fate, of its own. */
function withoutReuse(chunk: Buffer): Buffer {
  const head = chunk
    .toString('latin1')
    .replace(/\r\nconnection: keep-alive(?=\r\n)/i, '\r\nconnection: close');
  return Buffer.from(head, 'latin1');
}
