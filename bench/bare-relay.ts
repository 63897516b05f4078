// The fair minimum to compare with: node:http in, node:http out, nothing between but what a stream of events needs.
// `--mode events` parses each line and writes one SSE event per token; `--mode bytes` passes the bytes on.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    'ollama-host': { type: 'string', default: 'http://127.0.0.1:11434' },
    mode: { type: 'string', default: 'events' },
  },
});
const target = `${values['ollama-host']}/api/chat`;
const answer = values.mode === 'bytes' ? passBytes : writeEvents;

const server = createServer((incoming, response) => {
  const upstream = request(target, { method: 'POST', headers: { 'content-type': 'application/json' } });
  upstream.once('response', (source) => answer(source, response));
  upstream.once('error', () => response.destroy());
  response.once('close', () => {
    if (!response.writableFinished) upstream.destroy();
  });
  incoming.pipe(upstream);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // a host and a port were given
  console.log(`bare relay on http://127.0.0.1:${port}`);
});

function writeEvents(source: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  source.setEncoding('utf8');
  let rest = '';
  let id = 0;
  const send = (event: string, data: unknown) => {
    id += 1;
    response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  source.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { message, done } = JSON.parse(line);
      if (message.content !== '') send('content_delta', { content: message.content, role: 'assistant' });
      if (done) send('done', { state: 'completed' });
    }
  });
  source.once('end', () => response.end());
}

function passBytes(source: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  source.pipe(response);
}
