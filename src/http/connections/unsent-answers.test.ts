// Over real sockets: answers that nobody reads are bounded in all, and who reads is served.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Connection } from './connection.ts';
import { UnsentAnswers } from './unsent-answers.ts';

const MIB = 1024 * 1024;

interface Serving {
  readonly port: number;
  /** In the order in which they were opened. */
  readonly connections: Connection[];
}

/** A server that answers `/N` with N MiB. */
async function serve(maxBytes: number): Promise<Serving> {
  const unsent = new UnsentAnswers(maxBytes);
  const connections: Connection[] = [];
  const bySocket = new Map<Socket, Connection>();
  const server = createServer((request, answer) => {
    const connection = bySocket.get(request.socket);
    if (connection === undefined) return;
    connection.begin(request, answer);
    unsent.follow(connection, answer, request.socket);
    answer.end(Buffer.alloc(Number(request.url?.slice(1)) * MIB));
  });
  server.on('connection', (socket: Socket) => {
    const connection = new Connection(socket);
    bySocket.set(socket, connection);
    connections.push(connection);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

/** Asks, and reads no more than that an answer has begun. */
async function askWithoutReading(port: number, mebibytes: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(`GET /${mebibytes} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

/** @returns how many bytes of an answer came before the connection ended or the answer did */
async function readAll(port: number, mebibytes: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/${mebibytes}`);
  return (await response.arrayBuffer()).byteLength;
}

it('beyond the bound, the connection for which most waits is cut, and only that one', async () => {
  const { port, connections } = await serve(100 * MIB);
  const [small, large] = [await askWithoutReading(port, 30), await askWithoutReading(port, 60)];
  expect([small, large].map(({ destroyed }) => destroyed)).toEqual([false, false]);
  const waiting = connections.map(({ unsentBytes }) => unsentBytes);
  expect(Math.min(...waiting)).toBeGreaterThan(20 * MIB);
  await askWithoutReading(port, 40);
  await expect.poll(() => connections.map(({ unsentBytes }) => unsentBytes > 0)).toEqual([true, false, true]);
  // Who was cut learns it; the others get all.
  large.resume();
  await once(large, 'close');
  let received = 0;
  small.on('data', (bytes: Buffer) => {
    received += bytes.length;
  });
  await expect.poll(() => received).toBeGreaterThan(30 * MIB);
});

it('a reader is served whatever others do not read', async () => {
  const { port } = await serve(50 * MIB);
  for (let round = 0; round < 5; round += 1) {
    await askWithoutReading(port, 30);
    expect(await readAll(port, 8)).toBe(8 * MIB);
  }
});

it('one answer alone may be larger than the bound', async () => {
  const { port } = await serve(MIB);
  expect(await readAll(port, 40)).toBe(40 * MIB);
});

it('what waits behind the first answer of a connection counts too', async () => {
  const { port, connections } = await serve(1000 * MIB);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('GET /20 HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(3));
  await once(socket, 'readable');
  await expect.poll(() => connections[0]?.unsentBytes).toBeGreaterThan(30 * MIB);
});
