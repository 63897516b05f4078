// An engine that costs little, so that a thousand streams fit on the machine beside what is measured: endless answers
// of 30 tokens a second, each token with its number and the moment in which it was sent. Everything but the answers is
// the fake's. Started by `startEngine`, ends with it.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { showBody, tagsBody } from '../test/fake-ollama/model-shapes.ts';
import { systemMicroseconds } from './load-clock.ts';

const MODEL = { name: 'endless:latest', capabilities: ['completion'], contextLength: 131_072 };
/** Says one word and no more. */
const SILENT = { ...MODEL, name: 'silent:latest' };
const TOKEN_MS = 1000 / 30;

interface Answer {
  readonly response: ServerResponse;
  dueAt: number;
  tokens: number;
}

/** In the order in which they are due: all have the same pace. */
const queue: Answer[] = [];
let head = 0;

const server = createServer((request, response) => {
  if (request.url === '/api/chat') {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.once('end', () => begin(response, body.includes('"silent')));
    return;
  }
  request.resume();
  const body = { '/api/tags': tagsBody([MODEL, SILENT], '0.33.0'), '/api/show': showBody(MODEL) }[
    request.url ?? ''
  ];
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(body ?? { version: '0.33.0', models: [] }));
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // a host and a port were given
  process.send?.(`http://127.0.0.1:${port}`);
});

process.once('disconnect', () => process.exit());

function begin(response: ServerResponse, isSilent: boolean): void {
  response.setHeader('content-type', 'application/x-ndjson');
  const answer = { response, dueAt: performance.now() + TOKEN_MS, tokens: 0 };
  if (isSilent) {
    send(answer);
    return;
  }
  queue.push(answer);
  if (queue.length - head === 1) tick();
}

function tick(): void {
  const now = performance.now();
  for (let next = queue[head]; next !== undefined && next.dueAt <= now; next = queue[head]) {
    head += 1;
    if (next.response.destroyed) continue;
    send(next);
    // One that could not keep up does not rush afterwards.
    next.dueAt = Math.max(next.dueAt + TOKEN_MS, now);
    queue.push(next);
  }
  if (head > 4096) {
    queue.splice(0, head);
    head = 0;
  }
  const first = queue[head];
  if (first !== undefined) setTimeout(tick, Math.max(1, first.dueAt - performance.now()));
}

function send(answer: Answer): void {
  const content = `${answer.tokens}:${systemMicroseconds()} `;
  answer.tokens += 1;
  answer.response.write(
    `{"model":"${MODEL.name}","created_at":"2026-08-01T12:00:00.123456789Z",` +
      `"message":{"role":"assistant","content":"${content}"},"done":false}\n`,
  );
}
