// What a client may be told, and what it does where it is told nothing.
import type { MochiError } from './errors.ts';

export interface RetryOptions {
  /** Of a request that got no answer, and of a wait that the server asks for. Default: 5. */
  readonly tries?: number;
  /** Before the second try; doubles with each, to 8 s at most. Default: 250. */
  readonly firstDelayMs?: number;
  /** How long a stream may fail without a break before it is given up. Default: 60 000. */
  readonly reconnectForMs?: number;
  /** How long a stream may be silent; the server sends something every 15 s. Default: 35 000. */
  readonly idleMs?: number;
}

export interface Reconnect {
  /** Failures since something came last, this one included. */
  readonly failures: number;
  /** The last event that was seen; −1: none. */
  readonly after: number;
  readonly delayMs: number;
  /** Null: the connection ended without an error, and too early. */
  readonly error: MochiError | null;
}

/** An event of a kind that this version does not know. */
export interface UnknownEvent {
  readonly id: number | null;
  readonly event: string;
  readonly data: unknown;
}

/** How the server can be reached at the moment. */
export type Link = 'live' | 'reconnecting' | 'polling' | 'offline';

export interface MochiOptions {
  /** Default: the origin of the page, else http://127.0.0.1:8000. */
  readonly baseUrl?: string;
  readonly apiKey?: string | (() => string | undefined | Promise<string | undefined>);
  readonly fetch?: typeof fetch;
  readonly headers?: Readonly<Record<string, string>>;
  /** `auto`: streams; asks again and again where no stream comes through. */
  readonly transport?: 'auto' | 'stream' | 'poll';
  readonly retry?: RetryOptions;
  /** While an engine or its first model is fetched: wait as long as that takes. A function is told how far it is. */
  readonly waitForEngine?: boolean | ((error: MochiError) => void);
  /** Asked once for each request that got 401, with the key that it had; true: try again. */
  readonly onUnauthorized?: (refused: Refused) => boolean | Promise<boolean>;
  readonly onReconnect?: (reconnect: Reconnect) => void;
  readonly onUnknown?: (event: UnknownEvent) => void;
}

/** Where the key is another one by now, the request was only too early. */
export interface Refused {
  readonly apiKey: string | undefined;
}

/** The options with nothing left open. */
export interface Connection extends Omit<MochiOptions, 'retry'> {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly transport: 'auto' | 'stream' | 'poll';
  readonly retry: Required<RetryOptions>;
}

const LOCAL = 'http://127.0.0.1:8000';

export function connect(options: MochiOptions): Connection {
  const { retry, baseUrl = originOfPage() ?? LOCAL } = options;
  return {
    ...options,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    // Browsers want it called as a function of the window.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    transport: options.transport ?? 'auto',
    retry: {
      tries: retry?.tries ?? 5,
      firstDelayMs: retry?.firstDelayMs ?? 250,
      reconnectForMs: retry?.reconnectForMs ?? 60_000,
      idleMs: retry?.idleMs ?? 35_000,
    },
  };
}

/** Null outside of pages and their workers. */
export function originOfPage(): string | null {
  const { location } = globalThis as { location?: { origin?: string } };
  return location?.origin?.startsWith('http') ? location.origin : null;
}
