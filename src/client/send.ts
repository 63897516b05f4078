// One exchange over HTTP: the key, when to try again, errors in one shape.
import { isMochiError, MochiError } from './errors.ts';
import { type Connection, originOfPage } from './options.ts';
import { backoff, pause } from './pause.ts';
import { within } from './read-events.ts';

export interface Exchange {
  readonly method: string;
  /** After `/api/v1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>> | undefined;
  /** Sent as JSON; a text as it is, with a `content-type` of its own. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** What the answer must be; default: JSON. */
  readonly accept?: 'json' | 'events' | 'any';
  /**
   * What it does when it arrives twice: nothing more (`safe`: asked again), join what was begun (`joins`: asked again
   * until our server itself has answered), the same once more (`once`: not asked again). `never`: the caller looks to it.
   */
  readonly repeated?: 'safe' | 'joins' | 'once' | 'never';
  /** How long the answer may take to begin; default: as long as it likes. */
  readonly withinMs?: number;
}

/** @throws MochiError, or what the signal was aborted with */
export type Send = <T>(exchange: Exchange, read: (response: Response) => T | Promise<T>) => Promise<T>;

/** Of a GET that our server answers with 500, 502, 503 or 504. */
const TRIES_OF_FAULTS = 2;
const LONGEST_WAIT_MS = 60_000;
const ENGINE_PAUSE_MS = 1000;

export function createSend(connection: Connection): Send {
  return async (exchange, read) => {
    const { signal } = exchange;
    const tried: Tried = { failures: 0, waits: 0, isAuthorized: false, apiKey: undefined };
    for (;;) {
      tried.apiKey = await keyOf(connection);
      const headers = headersOf(connection, exchange, tried.apiKey);
      try {
        return await read(await once(connection, exchange, headers));
      } catch (thrown) {
        if (signal?.aborted) throw signal.reason;
        const error = isMochiError(thrown) ? thrown : unreachable(connection, thrown);
        const delay = await delayOf(connection, exchange, error, tried);
        if (delay === null) throw error;
        await pause(delay, signal);
      }
    }
  };
}

interface Tried {
  failures: number;
  waits: number;
  isAuthorized: boolean;
  apiKey: string | undefined;
}

/** Milliseconds until it is tried again; null: not at all. */
async function delayOf(
  connection: Connection,
  { repeated = 'once' }: Exchange,
  error: MochiError,
  tried: Tried,
): Promise<number | null> {
  const { status, retryAfterMs } = error;
  const { waitForEngine, onUnauthorized, retry } = connection;
  if (status === 401 && onUnauthorized !== undefined && !tried.isAuthorized) {
    tried.isAuthorized = true;
    return (await onUnauthorized({ apiKey: tried.apiKey })) ? 0 : null;
  }
  if (repeated === 'never') return null;
  if (error.details['is_underway'] === true && waitForEngine) {
    if (waitForEngine !== true) waitForEngine(error);
    return retryAfterMs ?? ENGINE_PAUSE_MS;
  }
  if ((status === 429 || status === 503) && retryAfterMs !== null && !isOfTurn(error)) {
    tried.waits += 1;
    return tried.waits > retry.tries ? null : retryAfterMs * (1 + Math.random() / 5);
  }
  if (!isWorthAnother(error, repeated)) return null;
  tried.failures += 1;
  const tries = repeated === 'safe' && status !== null ? TRIES_OF_FAULTS + 1 : retry.tries;
  return tried.failures >= tries ? null : backoff(tried.failures, retry.firstDelayMs);
}

function isWorthAnother({ code, status }: MochiError, repeated: 'safe' | 'joins' | 'once'): boolean {
  if (repeated === 'once') return false;
  if (code === 'unreachable') return true;
  const isFault = status !== null && [500, 502, 503, 504].includes(status);
  // What a proxy says is no word of the turn.
  return isFault && (repeated === 'safe' || code === 'not_mochi');
}

/** The turn has begun and failed: asking again would tell the same. */
function isOfTurn(error: MochiError): boolean {
  return error.turnId !== null;
}

async function once(
  connection: Connection,
  exchange: Exchange,
  headers: Record<string, string>,
): Promise<Response> {
  const { method, signal, accept = 'json', withinMs } = exchange;
  const body = bodyOf(exchange.body);
  const asked = connection.fetch(addressOf(connection, exchange), {
    method,
    headers,
    ...(body !== undefined && { body }),
    ...(signal !== undefined && { signal }),
  });
  const response = await (withinMs === undefined ? asked : within(asked, withinMs));
  if (!response.ok) throw await toError(response);
  if (response.status === 204 || accept === 'any') return response;
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes(accept === 'json' ? 'application/json' : 'text/event-stream'))
    throw await strange(response);
  return response;
}

function addressOf({ baseUrl }: Connection, { path, query = {} }: Exchange): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return `${baseUrl}/api/v1${path}${given.length === 0 ? '' : `?${given.join('&')}`}`;
}

async function keyOf({ apiKey }: Connection): Promise<string | undefined> {
  return typeof apiKey === 'function' ? apiKey() : apiKey;
}

function headersOf(
  { headers }: Connection,
  exchange: Exchange,
  key: string | undefined,
): Record<string, string> {
  return {
    ...(exchange.body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && key !== '' && { authorization: `Bearer ${key}` }),
    ...headers,
    ...exchange.headers,
  };
}

function bodyOf(body: unknown): string | undefined {
  return body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
}

async function toError(response: Response): Promise<MochiError> {
  const text = await response.text();
  const { code, message, details } = Object(Object(Object(parse(text)).detail).error);
  if (typeof code !== 'string' || typeof message !== 'string') return strange(response, text);
  return new MochiError({ ...placeOf(response), code, message, details: Object(details) });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function placeOf({ status, headers }: Response) {
  return {
    status,
    requestId: headers.get('x-request-id'),
    retryAfterMs: waitOf(headers.get('retry-after')),
    ...(headers.get('x-turn-id') !== null && { turnId: headers.get('x-turn-id') }),
  };
}

/** `retry-after` as milliseconds: seconds, or a date. */
function waitOf(header: string | null): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(LONGEST_WAIT_MS, Math.max(0, ms));
}

const SHOWN_CHARACTERS = 200;

/** A captive portal, a page of a proxy, another server. */
async function strange(response: Response, text?: string): Promise<MochiError> {
  const shown = (text ?? (await response.text())).slice(0, SHOWN_CHARACTERS);
  const { status } = response;
  return new MochiError({
    ...placeOf(response),
    code: 'not_mochi',
    message: `What answers at ${response.url} is no mochi-server (status ${status}): ${shown}`,
    details: { status, text: shown },
  });
}

/** What `fetch` throws says little, in a page nothing at all. */
export function unreachable({ baseUrl }: Connection, cause: unknown): MochiError {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const said = reason instanceof Error && reason.message !== '' ? ` (${reason.message})` : '';
  const origin = originOfPage();
  const isOther = origin !== null && new URL(baseUrl).origin !== origin;
  const causes = isOther
    ? ': it cannot be reached, or the origin of this page is not in its MOCHI_CORS_ORIGINS'
    : ': it cannot be reached';
  const message = `No answer from ${baseUrl}${origin === null ? said : causes}.`;
  return new MochiError({ code: 'unreachable', message, cause });
}
