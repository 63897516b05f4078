// An address that swallows packets, without a network: a listener that accepts nobody, its queue full.
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { RawListener } from './raw-listener.ts';

/** Listens in a thread whose event loop then stands still, so that nothing is ever accepted. */
const CODE = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;
/** More than a queue of one holds. */
const FILLING = 8;

/** Connections to its port are neither made nor refused. */
export async function startSwallowingListener(): Promise<RawListener> {
  const worker = new Worker(CODE, { eval: true });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  const sockets: Socket[] = [];
  for (let count = 0; count < FILLING; count += 1) {
    sockets.push(connect(port, '127.0.0.1').on('error', () => undefined));
  }
  // The queue is full when one of them has been waiting for long while others are connected.
  while (!sockets.some((socket) => !socket.connecting)) await delay(10);
  await delay(200);
  if (sockets.every((socket) => !socket.connecting)) throw new Error('the queue never became full');
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}
