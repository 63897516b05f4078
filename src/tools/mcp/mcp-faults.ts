// What can be wrong with a server, in words for people.

/** A server that cannot be used. */
export class McpFault extends Error {
  /** ended: its process is gone; auth: it wants to know who we are; broken: anything else. */
  readonly kind: 'ended' | 'auth' | 'broken';

  constructor(kind: McpFault['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The error and what caused it, from the outside in. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at);
  return causes.length === 0 ? [error] : causes;
}

/** @returns the HTTP status that caused it; null: none did */
export function statusOf(error: unknown): number | null {
  for (const cause of causesOf(error)) {
    const status: unknown = Object(cause).status ?? Object(Object(cause).data).status;
    if (typeof status === 'number') return status;
    if (Object(cause).name === 'UnauthorizedError') return 401;
  }
  return null;
}

/** The code of the SDK, or of Node: `REQUEST_TIMEOUT`, `ECONNREFUSED`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return causesOf(error).some((cause) => {
    const all: unknown[] = [cause, ...(cause instanceof AggregateError ? cause.errors : [])];
    return all.some((one) => codes.some((code) => code === Object(one).code));
  });
}

/** What caused it says more than "fetch failed". */
export function wordsOf(error: unknown): string {
  const causes = causesOf(error).filter((cause) => cause instanceof Error);
  const words = causes.map(({ message, name }) => (message === '' ? name : message));
  return [...new Set(words)].join(': ').slice(0, 500).toWellFormed() || String(error).slice(0, 500);
}

/** The peer answered with an error: it has done nothing with what it was sent. */
export function isRefusal(error: unknown): boolean {
  const { name, code } = Object(error);
  return name === 'ProtocolError' || (typeof code === 'number' && name !== 'SseError');
}
