// Bytes on a socket: what a well-behaved HTTP client would never send, or never show.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly text: string;
}

/** Sends bytes and reads to the end of the connection; the request must ask for its close. */
export async function sendBytes(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  return parseAnswer(Buffer.concat(parts).toString('utf8'));
}

export function parseAnswer(answer: string): RawAnswer {
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = answer.slice(0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1];
  if (end < 0 || status === undefined) throw new Error(`not an HTTP answer: ${JSON.stringify(answer)}`);
  const headers = new Headers(lines.map((line): [string, string] => splitHeader(line)));
  const body = answer.slice(end + 4);
  const isChunked = headers.get('transfer-encoding') === 'chunked';
  return { status: Number(status), headers, text: isChunked ? joinChunks(body) : body };
}

function joinChunks(body: string): string {
  let rest = Buffer.from(body);
  let text = '';
  for (;;) {
    const lineEnd = rest.indexOf('\r\n');
    const length = Number.parseInt(rest.toString('utf8', 0, lineEnd), 16);
    if (!(length > 0)) return text;
    text += rest.toString('utf8', lineEnd + 2, lineEnd + 2 + length);
    rest = rest.subarray(lineEnd + 2 + length + 2);
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

export interface RequestWithHeaders {
  readonly method?: string;
  readonly path: string;
  /** Any, `host` and `origin` included, which fetch would set itself. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request with exactly these headers. */
export async function sendRequest(url: string, request: RequestWithHeaders): Promise<RawAnswer> {
  const { method = 'GET', path, headers = {}, body } = request;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = httpRequest(`${url}${path}`, { method, headers, agent: false }, resolve);
  outgoing.on('error', reject);
  outgoing.end(body);
  const response = await promise;
  const parts: Buffer[] = await Array.fromAsync(response);
  const pairs = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    [value].flat().join(', '),
  ]);
  return {
    status: response.statusCode ?? 0,
    headers: new Headers(pairs),
    text: Buffer.concat(parts).toString('utf8'),
  };
}
