// What every answer must be, whatever was asked.
import { expect } from 'vitest';
import { ERRORS } from '../../src/contract/errors.ts';
import { expectDescribed } from '../support/described.ts';
import { judgeOf } from './dialect-shapes.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** Room for an explanation and an excerpt of what was sent, not for all of it. */
const LONGEST_ERROR = 8 * 1024;

/** Marks of what only the inside knows; what the client itself sent may be quoted. */
const LEAKS = [
  /\n\s+at /,
  /node_modules/,
  /\.[cm]?[jt]s:\d/,
  /file:\/\//,
  /\/(?:tmp|work|home|usr|var|root)\//,
  /SQLITE|SqliteError|FOREIGN KEY|constraint failed/i,
  /\b(?:select|insert|update|delete)\b.+\b(?:from|into|set|where)\b/i,
  /(?:Type|Range|Reference|Syntax)Error/,
  /Cannot read propert|is not a function|is not iterable|\[object Object\]|call stack/,
  /FST_ERR|ERR_[A-Z]{3,}|ECONN|ENOENT/,
];

/** `model_not_found 404` */
const known = new Set(
  Object.entries(ERRORS).map(([kind, entry]) => `${'code' in entry ? entry.code : kind} ${entry.status}`),
);

/** Statuses from 500 on are faults, except for the codes that the caller allows. */
export async function expectSane(
  request: WireRequest,
  answer: WireAnswer,
  { url, allowed = [] }: { readonly url: string; readonly allowed?: readonly string[] },
): Promise<void> {
  const { status, headers } = answer;
  const text = answer.body.toString('utf8');
  const shown = `${request.method} ${request.target.slice(0, 200)} → ${status} ${text.slice(0, 500)}`;
  expect(headers.get('x-request-id'), shown).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
  expect([...headers.keys()].filter((name) => name.startsWith('x-injected'))).toEqual([]);
  const isJson = headers.get('content-type')?.startsWith('application/json') ?? false;
  if (status >= 400 && request.method !== 'HEAD') {
    const judge = judgeOf(request.target);
    if (judge === null) {
      expect(isJson, shown).toBe(true);
      expectEnvelope(JSON.parse(text), status, shown);
    } else {
      judge(answer, shown);
    }
    expectNoLeak(request, text, shown);
    expect(text.length, shown).toBeLessThan(LONGEST_ERROR);
  }
  const isAllowed = allowed.some((code) => text.includes(`"code":"${code}"`) || wordsOf(code).test(text));
  if (!isAllowed) expect(status, shown).toBeLessThan(500);
  await holdAgainstDocument(request, answer, { url, isJson });
}

/** Some APIs tell no codes. */
function wordsOf(code: string): RegExp {
  return code === 'invalid_structured_output' ? /does not fit the requested format|had to call a tool/ : /^$/;
}

/** The envelope and nothing else, with a code of the table that has this status. */
export function expectEnvelope(body: unknown, status: number, shown: string): void {
  expect(body, shown).toEqual({
    detail: { error: { code: expect.any(String), message: expect.any(String), details: expect.any(Object) } },
  });
  const { code, message } = (body as { detail: { error: { code: string; message: string } } }).detail.error;
  expect(message.trim(), shown).not.toBe('');
  expect(known, shown).toContain(`${code} ${status}`);
}

function expectNoLeak(request: WireRequest, text: string, shown: string): void {
  const sent = [request.target, request.headers?.flat().join(' '), request.body?.toString('utf8')].join(' ');
  const leaks = LEAKS.filter((mark) => {
    const found = mark.exec(text)?.[0];
    return found !== undefined && !sent.includes(found) && !mark.test(sent);
  });
  expect(leaks, shown).toEqual([]);
}

/** Addresses that a URL parser would rewrite have no description of their own. */
async function holdAgainstDocument(
  { method, target }: WireRequest,
  { status, body }: WireAnswer,
  { url, isJson }: { readonly url: string; readonly isJson: boolean },
): Promise<void> {
  const path = target.split('?', 1)[0] ?? '';
  if (!path.startsWith('/') || !URL.canParse(`${url}${path}`)) return;
  const seen = new URL(`${url}${path}`);
  if (seen.pathname !== path || method === 'HEAD') return;
  const parsed: unknown = isJson ? JSON.parse(body.toString('utf8')) : null;
  await expectDescribed({ method, url: seen.href, status, body: parsed, isJson });
}
