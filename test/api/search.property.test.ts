// Whatever is typed is answered, and whatever is done to conversations, the index holds what they say.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { cutAfter, script } from '../fake-ollama/script-modifiers.ts';
import { faultsOfSearch } from '../support/search-index-faults.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const SAID = [
  'Größe of my_func.name',
  '数据库部署 with data',
  'ภาษาไทย data, DATA!',
  '👩🏽‍💻 e\u0301 ﾊﾟｿｺﾝ',
  'data',
];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(({ messages = [] }) => {
    const asked = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    const answer = text('You said: ', asked, ' …and data');
    return asked.startsWith('cut') ? script(answer, cutAfter(2)) : answer;
  });
});
afterAll(() => server.close());

const typed = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...Array.from('"*-()^:+{}. \0\'ab\\')), maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        'AND',
        'OR',
        'NOT',
        'NEAR(',
        'words:',
        '"',
        '-',
        '*',
        '^',
        'data',
        '数据',
        'ไทย',
        ' ',
        '\u0301',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
);

it('any text is answered, with marks that lie in the snippet and cut no character', async () => {
  const sessionId = await server.createSession({ title: 'data 数据' });
  for (const message of SAID) await server.chat(sessionId, { message });
  await fc.assert(
    fc.asyncProperty(typed, async (q) => {
      const { status, body } = await server.get(`/search?q=${encodeURIComponent(q)}`);
      expect([200, 422]).toContain(status);
      const list = await server.get(`/sessions?q=${encodeURIComponent(q)}`);
      expect(list.status).toBe(q.trim() === '' ? 200 : status);
      if (status !== 200) return;
      if (body.results.length > 0) expect(list.body.sessions).not.toEqual([]);
      for (const { snippet, highlights } of body.results) {
        let last = 0;
        for (const [start, end] of highlights) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(snippet.slice(start, end).isWellFormed()).toBe(true);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(snippet.length);
        expect(snippet.isWellFormed()).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);

it('any word that was said is found, and what was found is marked', async () => {
  const sessionId = await server.createSession();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), async (said) => {
      fc.pre(/[\p{L}\p{N}]/u.test(said) && said.trim() !== '');
      await server.chat(sessionId, { message: said });
      const question = (await server.messages(sessionId)).findLast(({ role }) => role === 'user');
      const quoted = `"${said.replaceAll('"', ' ')}"`;
      const { body } = await server.get(`/search?limit=1000&q=${encodeURIComponent(quoted)}`);
      const found = body.results.find(
        (result: { message_id: string }) => result.message_id === question.message_id,
      );
      expect([said, found?.highlights.length > 0]).toEqual([said, true]);
    }),
    { numRuns: 100 },
  );
}, 60_000);

type Step = readonly [
  'chat' | 'again' | 'edit' | 'head' | 'fork' | 'title' | 'system' | 'delete' | 'new',
  session: number,
  pick: number,
];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom('chat', 'chat', 'again', 'edit', 'head', 'fork', 'title', 'system', 'delete', 'new'),
    fc.nat(5),
    fc.nat(100),
  ),
  { minLength: 5, maxLength: 30, size: 'max' },
);

it('the index is what a new one of the same rows would be, after any operations in any order', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      let sessions = [await server.createSession()];
      for (const [type, session, pick] of list) {
        const id = sessions[session % sessions.length];
        if (id === undefined || type === 'new') sessions.push(await server.createSession({ title: 'data' }));
        else {
          const made = await perform(type, id, pick);
          sessions = type === 'delete' ? sessions.filter((other) => other !== id) : [...sessions, ...made];
        }
      }
      expect(await faultsOfSearch(server.dataDir)).toEqual([]);
      for (const id of sessions) await server.request('DELETE', `/sessions/${id}`);
      expect(await faultsOfSearch(server.dataDir)).toEqual([]);
    }),
    { numRuns: 20 },
  );
}, 60_000);

/** @returns ids of new sessions. What cannot be done is refused, which is another test's matter. */
async function perform(type: Step[0], id: string, pick: number): Promise<string[]> {
  const said = [...SAID, 'cut here'][pick % (SAID.length + 1)] ?? '';
  const messages = await server.messages(id);
  const chosen = messages[pick % messages.length]?.message_id ?? 'none';
  if (type === 'chat') await server.post(`/chat/${id}`, { message: said });
  if (type === 'again') {
    await server.post(`/chat/${id}`, { message: null, mode: pick % 2 === 0 ? 'continue' : 'regenerate' });
  }
  if (type === 'edit') {
    await server.request('PUT', `/sessions/${id}/messages/${pick % (messages.length + 1)}`, {
      content: said,
    });
  }
  if (type === 'head') await server.request('PUT', `/sessions/${id}/head`, { message_id: chosen });
  if (type === 'title') {
    await server.request('PATCH', `/sessions/${id}`, { title: pick % 3 === 0 ? null : said });
  }
  if (type === 'system') await server.request('PUT', `/sessions/${id}/system-prompt`, { content: said });
  if (type === 'delete') await server.request('DELETE', `/sessions/${id}`);
  if (type !== 'fork') return [];
  return [(await server.post(`/sessions/${id}/fork`, {})).body.session_id];
}
