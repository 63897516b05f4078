// A model hub over real sockets: it tells the checksum in a redirect to another server, which has the bytes.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface HubFile {
  readonly body: Buffer;
  /** What the hub tells; default: what the body hashes to; null: nothing. */
  readonly tells?: string | null;
  /** The repository has moved to this path. */
  readonly movedTo?: string;
  /**
   * The connection is cut after so many bytes, as often as stated, once the client has taken them: one that is
   * cut drops what it has not read yet.
   */
  readonly cuts?: {
    readonly after: number;
    times: number;
    readonly taken: (end: number) => Promise<unknown>;
  };
}

export interface FakeHub {
  readonly url: string;
  /** By path, with the slash at its beginning. */
  readonly files: Map<string, HubFile>;
  /** `METHOD /path`, with the range where one was asked for. */
  readonly requests: string[];
  close(): Promise<void>;
}

const BYTES = '/bytes';

export async function startFakeHub(): Promise<FakeHub> {
  const files = new Map<string, HubFile>();
  const requests: string[] = [];
  const open = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    const server = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      requests.push([method, url, ...(headers.range === undefined ? [] : [headers.range])].join(' '));
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  const bytes = await open((request, response) => {
    const file = files.get((request.url ?? '').slice(BYTES.length));
    if (file === undefined) return response.writeHead(404).end();
    return sendBytes(file, request, response);
  });
  const hub = await open(({ url = '' }, response) => {
    const file = files.get(url);
    if (file === undefined) return response.writeHead(404).end();
    if (file.movedTo !== undefined) return response.writeHead(307, { location: file.movedTo }).end();
    const sum = file.tells === undefined ? sha256(file.body) : file.tells;
    const told = sum === null ? {} : { 'x-linked-etag': `"${sum}"`, 'x-linked-size': file.body.length };
    return response.writeHead(302, { location: `${bytes.url}${BYTES}${url}`, ...told }).end();
  });
  return {
    url: hub.url,
    files,
    requests,
    async close() {
      for (const { server } of [hub, bytes])
        await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function sendBytes(file: HubFile, { headers }: IncomingMessage, response: ServerResponse): void {
  const etag = `"${sha256(file.body)}"`;
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const isPart = from !== undefined && headers['if-range'] === etag;
  const sent = isPart ? file.body.subarray(Number(from)) : file.body;
  response.writeHead(isPart ? 206 : 200, { 'content-length': sent.length, etag });
  const { cuts } = file;
  if (cuts === undefined || cuts.times === 0) return void response.end(sent);
  cuts.times -= 1;
  response.write(sent.subarray(0, cuts.after));
  const end = file.body.length - sent.length + cuts.after;
  void cuts.taken(end).finally(() => response.destroy());
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
