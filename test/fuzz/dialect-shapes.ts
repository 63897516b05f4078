// An error as each dialect tells it: the keys that its clients read, and nothing else.
import { expect } from 'vitest';
import { ERRORS } from '../../src/contract/errors.ts';
import { DIALECTS, dialectOf } from '../../src/dialects/dialects.ts';
import type { WireAnswer } from './wire.ts';

type Judge = (answer: WireAnswer, shown: string) => void;

const JUDGES: Readonly<Record<string, Judge>> = {
  'ai-sdk': expectText,
  anthropic: expectAnthropic,
  'openai-responses': expectOpenAi,
  'openai-chat': expectOpenAi,
  v1: expectOpenAi,
  ollama: expectOllama,
};

const CODES = new Set(Object.entries(ERRORS).map(([kind, entry]) => ('code' in entry ? entry.code : kind)));

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'not_found_error',
  413: 'request_too_large',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** What holds errors below a path against the shape that is spoken there; null: they come in our own envelope. */
export function judgeOf(target: string): Judge | null {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('?', 1)[0] ?? '';
  const tag = dialectOf(DIALECTS, path)?.tag.name;
  if (tag === undefined) return null;
  const judge = JUDGES[tag];
  if (judge === undefined) throw new Error(`nobody has said what an error of ${tag} looks like`);
  return judge;
}

function expectOpenAi({ status, body }: WireAnswer, shown: string): void {
  const text = expect.stringMatching(/\S/);
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  const parsed = JSON.parse(body.toString('utf8'));
  expect(parsed, shown).toEqual({
    error: { message: text, type, param: expect.toBeOneOf([null, text]), code: text },
  });
}

function expectAnthropic({ status, headers, body }: WireAnswer, shown: string): void {
  const usual = status >= 500 ? 'api_error' : 'invalid_request_error';
  const error = { type: ANTHROPIC_TYPES[status] ?? usual, message: expect.stringMatching(/\S/) };
  const id = headers.get('request-id');
  expect(id, shown).toMatch(/\S/);
  expect(JSON.parse(body.toString('utf8')), shown).toEqual({ type: 'error', error, request_id: id });
}

function expectOllama({ status, headers, body }: WireAnswer, shown: string): void {
  const text = body.toString('utf8');
  if (!headers.get('content-type')?.startsWith('text/plain')) {
    expect(JSON.parse(text), shown).toEqual({ error: expect.stringMatching(/\S/) });
  } else {
    expect([404, 405], shown).toContain(status);
    expect(text, shown).toBe(status === 404 ? '404 page not found' : '405 method not allowed');
  }
}

function expectText({ headers, body }: WireAnswer, shown: string): void {
  expect(headers.get('content-type'), shown).toBe('text/plain; charset=utf-8');
  expect(body.toString('utf8'), shown).toMatch(/^[^{]*\S/);
  expect(CODES, shown).toContain(headers.get('x-mochi-error'));
}
