// How ids, times and errors look on the wire, whichever route sends them.
import { expect } from 'vitest';

/** ISO 8601, UTC, six fraction digits (API.md §2). */
export const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;
/** Ids of sessions and messages. */
export const ID = /^[0-9a-f]{10}$/;
/** A request id of the server's own making. */
export const REQUEST_ID = /^[0-9a-f]{16}$/;

/** What no client may see of the machine behind: paths, stacks, SQL, JavaScript's own words. */
const INTERNALS =
  /\/(home|root|tmp|usr|var|work)\/|node_modules|\.ts\b|\bat \w+ \(|SQLITE|select |FST_ERR|undefined/;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests read what they expect; a wrong guess fails the test.
  readonly body: any;
}

/** Holds an answer against the envelope: the error, and nothing beside it. @returns its details */
export function expectError(answer: Answer, status: number, code: string): Record<string, unknown> {
  expectEnvelope(answer.body, code);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return answer.body.detail.error.details;
}

export function expectEnvelope(body: unknown, code: string): void {
  expect(body).toEqual({
    detail: { error: { code, message: expect.stringMatching(/\S/), details: expect.any(Object) } },
  });
  expect(JSON.stringify(body)).not.toMatch(INTERNALS);
}
