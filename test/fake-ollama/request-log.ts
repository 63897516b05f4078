// Records what the fake was asked, and lets tests wait for it.
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestBody } from './chat-request.ts';

/** One request as it arrived. */
export type RecordedRequest = {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed body; null when it is empty or no JSON. */
  readonly body: RequestBody | null;
  readonly rawBody: string;
  /** `Date.now()` when the head of the request had arrived. */
  readonly startedAt: number;
  /** The client closed the connection before the answer was complete. */
  aborted: boolean;
  abortedAt: number | null;
};

/** The record of one fake. */
export type RequestLog = ReturnType<typeof createRequestLog>;

type Waiter = { check(): void; cancel(reason: Error): void };

export function createRequestLog() {
  const requests: RecordedRequest[] = [];
  const waiters = new Set<Waiter>();

  function add(request: RecordedRequest): void {
    requests.push(request);
    changed();
  }

  function markAborted(request: RecordedRequest): void {
    request.aborted = true;
    request.abortedAt = Date.now();
    changed();
  }

  function changed(): void {
    for (const waiter of waiters) waiter.check();
  }

  /** Resolves with the first request that matches, past ones included. */
  function waitFor(what: string, matches: (request: RecordedRequest) => boolean, timeoutMs: number) {
    const { promise, resolve, reject } = Promise.withResolvers<RecordedRequest>();
    const waiter: Waiter = {
      check() {
        const found = requests.find(matches);
        if (found) settle(() => resolve(found));
      },
      cancel: (reason) => settle(() => reject(reason)),
    };
    const timer = setTimeout(() => waiter.cancel(new Error(noSuchRequest(what, timeoutMs))), timeoutMs);
    function settle(act: () => void): void {
      clearTimeout(timer);
      waiters.delete(waiter);
      act();
    }
    waiters.add(waiter);
    waiter.check();
    return promise;
  }

  function noSuchRequest(what: string, timeoutMs: number): string {
    const seen = requests.map((request) => `${request.method} ${request.path}`).join(', ') || 'nothing';
    return `fake ollama: no ${what} within ${timeoutMs} ms; seen: ${seen}`;
  }

  /** Rejects everything that still waits. */
  function cancelWaiting(): void {
    for (const waiter of waiters) waiter.cancel(new Error('fake ollama was closed'));
  }

  return { requests, add, markAborted, waitFor, cancelWaiting };
}
