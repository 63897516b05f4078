// HTTP to Ollama: one agent, aborts that wait for nothing, credentials kept out of what is shown.
import type { Readable } from 'node:stream';
import { redactUrl } from '../../kit/redact-url.ts';
import { Connections } from './connections.ts';
import { HttpAnswer } from './http-answer.ts';

export interface OllamaHttpOptions {
  /** Base URL; may have credentials and a path prefix. */
  readonly baseUrl: string;
  readonly connectTimeoutMs: number;
}

export interface OllamaRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as they are, instead of it. */
  readonly bytes?: { readonly bytes: string | Readable; readonly type: string | null };
  readonly signal: AbortSignal;
  /** Told as it is sent: whoever has the answer can let go of it before it has begun. */
  readonly onSent?: (answer: HttpAnswer) => void;
}

export interface OllamaHttp {
  /** Base URL without credentials. */
  readonly address: string;
  /** @throws the signal's reason at once when it is aborted, whatever the connection is doing */
  send(request: OllamaRequest): Promise<HttpAnswer>;
  /** How often the other side has closed a connection, or could not be connected to. */
  departures(): number;
  close(): Promise<void>;
}

export function connectOllama({ baseUrl, connectTimeoutMs }: OllamaHttpOptions): OllamaHttp {
  const url = new URL(baseUrl);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decode(url.username)}:${decode(url.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  const prefix = url.pathname.replace(/\/+$/, '');
  let departures = 0;
  const onDeparture = () => {
    departures += 1;
  };
  const connections = new Connections({ origin: new URL(url.origin), connectTimeoutMs, onDeparture });
  return {
    address: redactUrl(baseUrl),
    async send({ method, path, body, bytes, signal, onSent }) {
      signal.throwIfAborted();
      const sent = bytes ?? (body === undefined ? null : toSent(body));
      const answer = new HttpAnswer(signal);
      const request = {
        path: prefix + path,
        method,
        headers: { ...headers, ...fieldsOf(sent) },
        body: sent?.bytes ?? null,
      };
      onSent?.(answer);
      const begun = answer.begun();
      connections.dispatch(request, answer);
      return begun;
    },
    departures: () => departures,
    close: () => connections.close(),
  };
}

interface Sent {
  readonly bytes: string | Readable;
  readonly type: string | null;
  /** Where it is known. */
  readonly length?: number;
}

/** A conversation takes kilobytes, one with images megabytes, and undici holds what it was given until the answer is over. */
function toSent(body: unknown): Sent {
  const bytes = Buffer.from(JSON.stringify(body));
  // It takes whatever can be iterated; its types name less.
  return {
    bytes: new ReadOnce(bytes) as unknown as Readable,
    type: 'application/json',
    length: bytes.length,
  };
}

/** Nothing is left of the bytes once they were read. */
class ReadOnce implements Iterable<Buffer, void> {
  #bytes: Buffer | null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  *[Symbol.iterator](): Generator<Buffer, void> {
    const bytes = this.#bytes;
    this.#bytes = null;
    if (bytes !== null) yield bytes;
  }
}

function fieldsOf(sent: Sent | null): Record<string, string> {
  if (sent === null) return {};
  return {
    ...(sent.type !== null && { 'content-type': sent.type }),
    ...(sent.length !== undefined && { 'content-length': String(sent.length) }),
  };
}

/** A stray % in a password is itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
