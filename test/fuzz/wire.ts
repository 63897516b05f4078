// HTTP by hand: bytes out, answers in. A client library would refuse to send most of what is sent here.
import { connect } from 'node:net';

export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Buffer | null;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Far more than any answer takes; a request that passes it hangs. */
const WATCHDOG_MS = 10_000;
/** After this a client whose headers promised more than it sent gives up: it closes its side. */
const GIVE_UP_MS = 300;
/** Longer answers are only looked at when they have ended. */
const EAGER_BYTES = 1 << 20;

/** Text goes out as Latin-1, one byte per character. `host`, `connection`, `content-length` are added if missing. */
export function toBytes(request: WireRequest, host: string): Buffer {
  const { method, target, headers = [], body = null } = request;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [`${method} ${target} HTTP/1.1`];
  if (!names.has('host')) lines.push(`host: ${host}`);
  if (!names.has('connection')) lines.push('connection: close');
  if (body !== null && !names.has('content-length') && !names.has('transfer-encoding')) {
    lines.push(`content-length: ${body.length}`);
  }
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body ?? Buffer.alloc(0)]);
}

/**
 * Sends bytes on a connection of its own and reads until `count` answers are whole or the server closes.
 * @throws Error when neither happens, or when what comes back is no HTTP
 */
export function exchange(
  url: string,
  bytes: Buffer | string,
  options: { readonly count?: number; readonly isHead?: boolean; readonly givesUp?: boolean } = {},
): Promise<WireAnswer[]> {
  const { count = 1, isHead = false, givesUp = false } = options;
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<WireAnswer[]>();
  const socket = connect(Number(port), hostname);
  const received: Buffer[] = [];
  let length = 0;
  const settle = (hasEnded: boolean) => {
    try {
      const answers = parseAnswers(Buffer.concat(received), { isHead, hasEnded });
      if (answers.length < count && !hasEnded) return;
      clearTimeout(watchdog);
      socket.destroy();
      resolve(answers);
    } catch (error) {
      clearTimeout(watchdog);
      socket.destroy();
      reject(error);
    }
  };
  const watchdog = setTimeout(() => {
    socket.destroy();
    reject(new Error(`no whole answer within ${WATCHDOG_MS} ms, but: ${Buffer.concat(received).toString()}`));
  }, WATCHDOG_MS);
  socket.on('data', (part) => {
    received.push(part);
    length += part.length;
    if (length < EAGER_BYTES) settle(false);
  });
  // A server that refuses a body may close while it is being sent: the answer counts, not the error.
  socket.on('error', () => undefined);
  socket.on('close', () => settle(true));
  socket.write(bytes);
  if (givesUp) setTimeout(() => socket.end(), GIVE_UP_MS);
  return promise;
}

/** The whole answers at the front of what was received; interim ones (1xx) are left out. */
function parseAnswers(
  bytes: Buffer,
  { isHead, hasEnded }: { readonly isHead: boolean; readonly hasEnded: boolean },
): WireAnswer[] {
  const answers: WireAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) break;
    const { status, headers } = parseHead(rest.subarray(0, headEnd).toString('latin1'));
    rest = rest.subarray(headEnd + 4);
    if (status < 200) continue;
    const hasNoBody = isHead || status === 204 || status === 304;
    const read = hasNoBody ? { body: Buffer.alloc(0), size: 0 } : readBody(rest, headers);
    if (read === null) {
      if (hasEnded) throw new Error(`the answer (${status}) was cut: ${rest.toString().slice(0, 500)}`);
      return answers;
    }
    answers.push({ status, headers, body: read.body });
    rest = rest.subarray(read.size);
  }
  if (hasEnded && rest.length > 0) throw new Error(`no HTTP: ${rest.toString('latin1').slice(0, 200)}`);
  return answers;
}

function parseHead(head: string): Pick<WireAnswer, 'status' | 'headers'> {
  const [first = '', ...lines] = head.split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z -]*$/.exec(first);
  if (match === null) throw new Error(`no status line: ${first.slice(0, 200)}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\r\n\0]*)$/.exec(line);
    const [, name = '', value = ''] = field ?? [];
    if (field === null || (headers.has(name.toLowerCase()) && name.toLowerCase() !== 'vary')) {
      throw new Error(`not a header, or twice: ${line.slice(0, 200)}`);
    }
    headers.set(name.toLowerCase(), value);
  }
  return { status: Number(match[1]), headers };
}

/** Null while it is not whole. */
function readBody(
  bytes: Buffer,
  headers: ReadonlyMap<string, string>,
): { readonly body: Buffer; readonly size: number } | null {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes);
  const size = Number(headers.get('content-length'));
  if (!Number.isSafeInteger(size)) throw new Error('the answer has no length');
  return bytes.length < size ? null : { body: bytes.subarray(0, size), size };
}

function readChunks(bytes: Buffer): { readonly body: Buffer; readonly size: number } | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return null;
    const line = bytes.subarray(at, lineEnd).toString('latin1');
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`no chunk: ${line.slice(0, 200)}`);
    const size = Number.parseInt(line, 16);
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return null;
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
    if (size === 0) return { body: Buffer.concat(parts), size: at };
  }
}
