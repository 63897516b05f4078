// Properties of reading the original's session files: nothing crashes it, and nothing in a good file is lost.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROLES } from '../../contract/message.ts';
import { atOnce } from '../../kit/stretches.ts';
import {
  OriginalFormatError,
  type OriginalSession,
  parseOriginalSession as parseInStretches,
} from './format.ts';
import type { JsonObject } from './values.ts';

const parseOriginalSession = (text: string, fallbackId: string) => atOnce(parseInStretches(text, fallbackId));

const UTC_MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const KEYS = `
  role content thinking message_id timestamp model eval_count tool_calls tool_name function name
  arguments session_id created_at updated_at summary topics summary_model format_version tool_settings
  tools tool_group execution_policy confirmation_necessary tool_policies agent_settings enabled_agents
  context_window_config current_window window_size last_adjustment adjustment_history reason __proto__
  constructor`
  .trim()
  .split(/\s+/);
const key = fc.oneof(fc.constantFrom(...KEYS), fc.string());
const leaf = fc.oneof(
  fc.jsonValue({ maxDepth: 0 }),
  fc.constantFrom(...ROLES, 'auto', '2026-01-01T00:00:00'),
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('anything'), { maxLength: 4 }),
    fc.dictionary(key, tie('anything'), { maxKeys: 6 }),
  ),
}));
const almostMessage = fc
  .tuple(
    fc.record({ role: fc.constantFrom(...ROLES), content: fc.string() }),
    fc.dictionary(key, anything, { maxKeys: 5 }),
  )
  .map(([known, strange]) => ({ ...strange, ...known }));
const almostSession = fc
  .tuple(fc.dictionary(key, anything, { maxKeys: 12 }), fc.array(almostMessage, { maxLength: 5 }), anything)
  .map(([metadata, messages, x]) => ({ metadata: { ...metadata, model: 'm' }, messages, x }));

function expectSane(session: OriginalSession): void {
  const ids = session.messages.map(({ messageId }) => messageId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { messageId, timestamp } of session.messages) {
    expect(messageId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(timestamp).toMatch(UTC_MICROSECONDS);
  }
  expect(session.createdAt).toMatch(UTC_MICROSECONDS);
  expect(session.updatedAt).toMatch(UTC_MICROSECONDS);
  expect(() => JSON.stringify(session)).not.toThrow();
}

test('any text, any JSON value: a session or an OriginalFormatError', () => {
  const text = fc.oneof(fc.string(), fc.json(), anything.map(jsonText), almostSession.map(jsonText));
  fc.assert(
    fc.property(text, (input) => {
      try {
        expectSane(parseOriginalSession(input, 'fallback'));
      } catch (error) {
        if (!(error instanceof OriginalFormatError)) throw error;
        expect(error.message).not.toBe('');
      }
    }),
    { numRuns: 2000 },
  );
});

test('a session cut anywhere is refused', () => {
  const text = readFileSync(
    new URL('../../../test/fixtures/original-sessions/server-1.4.json', import.meta.url),
    'utf8',
  ).trimEnd();
  fc.assert(
    fc.property(fc.nat(text.length - 1), (length) => {
      expect(() => parseOriginalSession(text.slice(0, length), 'x')).toThrow(OriginalFormatError);
    }),
  );
});

test('a session keeps every message in order, whatever else it says', () => {
  const message = fc.record(
    {
      role: fc.constantFrom(...ROLES),
      content: fc.string({ unit: 'grapheme' }),
      message_id: fc.oneof(fc.constantFrom('aaaaaaaa01', 'aaaaaaaa02', null), fc.string()),
      timestamp: fc.oneof(
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        fc.string(),
      ),
      eval_count: fc.option(fc.nat()),
      tool_calls: fc.option(
        fc.array(
          fc.record({ function: fc.record({ name: fc.string(), arguments: fc.dictionary(key, leaf) }) }),
        ),
      ),
      note: anything,
    },
    { requiredKeys: ['role', 'content'] },
  );
  const metadata = fc.record(
    { model: fc.constant('m'), session_id: key, created_at: leaf, tool_settings: anything, more: anything },
    { requiredKeys: ['model'] },
  );
  fc.assert(
    fc.property(metadata, fc.array(message), (given, messages) => {
      const text = jsonText({ metadata: given, messages });
      const session = parseOriginalSession(text, 'fallback');
      expectSane(session);
      const written: { metadata: JsonObject; messages: JsonObject[] } = JSON.parse(text);
      expect(session.messages.map(({ role, content }) => ({ role, content }))).toEqual(
        messages.map(({ role, content }) => ({ role, content })),
      );
      expect(session.messages.map(({ toolCalls }) => toolCalls ?? [])).toEqual(
        written.messages.map((one) => one.tool_calls ?? []),
      );
      expect(session.messages.map(({ extra }) => jsonText(extra.note))).toEqual(
        written.messages.map((one) => jsonText(one.note)),
      );
      expect(jsonText(session.extra.more)).toBe(jsonText(written.metadata.more));
      expect(parseOriginalSession(text, 'fallback')).toEqual(session);
    }),
    { numRuns: 500 },
  );
});

function jsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
