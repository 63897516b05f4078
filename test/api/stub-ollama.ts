// An Ollama of a few lines, for shapes and moments that the fake does not script: one function answers everything.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubRequest {
  readonly path: string;
  // Tests read what they expect; a wrong guess fails the test.
  readonly body: any;
}

export interface StubAnswer {
  readonly status?: number;
  /** Sent as JSON; undefined: the connection is cut instead. */
  readonly body: unknown;
}

export interface StubOllama {
  readonly url: string;
  readonly requests: StubRequest[];
  close(): Promise<void>;
}

/** @param answer may wait for whatever a test waits for */
export async function startStubOllama(
  answer: (request: StubRequest) => StubAnswer | Promise<StubAnswer>,
): Promise<StubOllama> {
  const requests: StubRequest[] = [];
  const server = createServer((incoming, response) => void serve(incoming, response));

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = { path: incoming.url ?? '', body: await readBody(incoming) };
    requests.push(request);
    const { status = 200, body } = await answer(request);
    if (body === undefined) {
      response.destroy();
      return;
    }
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on a port, so the address is never a pipe's name.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const text = Buffer.concat(await Array.fromAsync(incoming)).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}
