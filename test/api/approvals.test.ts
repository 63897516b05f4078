// Approvals over HTTP: the inbox, decisions, what is remembered, and the changes as a stream.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AskingServer, startAskingServer } from '../support/asking-server.ts';
import { readEvents } from '../support/read-events.ts';

const QUESTION = {
  message: 'How old?',
  schema: { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] },
  server: 'census',
};

const many = (count: number, sessionId: string) => Array.from({ length: count }, () => ({ sessionId }));

let server: AskingServer;
/** Pending ones that no test has used yet. */
let unused: string[];
let ofQuestion: string;
let ofOutcome: string;

beforeAll(async () => {
  server = await startAskingServer({
    sessions: ['s', 'inbox', 'gone'],
    drafts: [
      ...many(5, 'inbox'),
      { sessionId: 'gone' },
      { sessionId: 's', kind: 'question', question: QUESTION },
      {
        sessionId: 's',
        kind: 'outcome',
        previous: { attempt: 1, started_at: '2026-02-15T09:49:38.310281Z' },
      },
      ...many(60, 's'),
    ],
  });
  const idsOf = (kind: string) =>
    server.asked
      .filter((asked) => asked.session_id === 's' && asked.kind === kind)
      .map(({ confirmation_id: id }) => id);
  unused = idsOf('tool');
  [ofQuestion = ''] = idsOf('question');
  [ofOutcome = ''] = idsOf('outcome');
});
afterAll(() => server.close());

function next(): string {
  const id = unused.pop();
  if (id === undefined) throw new Error('no approval is left');
  return id;
}

const decide = (id: string, body: unknown) => server.post(`/approvals/${id}/decide`, body);
const shownError = ({ status, body }: { status: number; body: any }) => [
  status,
  body.detail?.error?.code ?? body.state,
];

describe('the inbox', () => {
  const idsOf = (body: any) => body.approvals.map(({ confirmation_id: id }: any) => id);
  const inbox = () =>
    server.asked.filter((asked) => asked.session_id === 'inbox').map(({ confirmation_id: id }) => id);

  it('has what is pending, the oldest first, page by page', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await server.get(`/approvals?session_id=inbox&limit=2${cursor}`);
      expect(body.approvals.length).toBeLessThanOrEqual(2);
      seen.push(...idsOf(body));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(inbox());
  });

  it('has everything, the newest first', async () => {
    await decide(inbox()[2] ?? '', { decision: 'deny' });
    const all = await server.get('/approvals?session_id=inbox&status=all&limit=3');
    expect(idsOf(all.body)).toEqual(inbox().toReversed().slice(0, 3));
    const rest = await server.get(
      `/approvals?session_id=inbox&status=all&limit=3&cursor=${all.body.next_cursor}`,
    );
    expect(idsOf(rest.body)).toEqual(inbox().toReversed().slice(3));
    const pending = await server.get('/approvals?turn_id=turn_of_inbox');
    expect(idsOf(pending.body)).toEqual(inbox().filter((_id, index) => index !== 2));
  });

  it('shows one as the list does', async () => {
    const [id] = inbox();
    const { body } = await server.get('/approvals?session_id=inbox&limit=1');
    expect((await server.get(`/approvals/${id}`)).body).toEqual(body.approvals[0]);
    expect(body.approvals[0]).toEqual(server.asked[0]);
  });

  it('of a session that nobody knows is empty', async () => {
    expect((await server.get('/approvals?session_id=nobody')).body).toEqual({
      approvals: [],
      next_cursor: null,
    });
  });

  it.each([
    ['status=maybe', 422, 'validation_error'],
    ['limit=0', 422, 'validation_error'],
    ['limit=1001', 422, 'validation_error'],
    ['cursor=x', 400, 'invalid_cursor'],
    [`session_id=${'x'.repeat(65)}`, 422, 'validation_error'],
  ])('with %s: %d %s', async (query, status, code) => {
    expect(shownError(await server.get(`/approvals?${query}`))).toEqual([status, code]);
  });

  it('has a cursor for one list only', async () => {
    const { body } = await server.get('/approvals?session_id=s&limit=1');
    const other = await server.get(`/approvals?session_id=inbox&limit=1&cursor=${body.next_cursor}`);
    expect(shownError(other)).toEqual([400, 'invalid_cursor']);
  });

  it.each(['nobody', 'x'.repeat(300), '..%2F..%2Fetc', '%00', '__proto__'])('has no %s: 404', async (id) => {
    for (const answer of [await server.get(`/approvals/${id}`), await decide(id, { decision: 'deny' })]) {
      expect(shownError(answer)).toEqual([404, 'confirmation_not_found']);
    }
  });
});

describe('a decision', () => {
  it('is answered with the approval as it is then', async () => {
    const id = next();
    const { status, body } = await server.post(
      `/approvals/${id}/decide`,
      { decision: 'edit', arguments: { path: 'old.txt' }, decided_by: 'Ada' },
      { 'x-request-id': 'my-request' },
    );
    expect([status, body.state, body.decision.arguments]).toEqual([200, 'approved', { path: 'old.txt' }]);
    expect([body.decision.decided_by, body.decision.request_id]).toEqual(['Ada', 'my-request']);
    expect((await server.get(`/approvals/${id}`)).body).toEqual(body);
  });

  it('is one of fifty at once: the others are told which', async () => {
    const id = next();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        decide(id, { decision: index % 2 === 0 ? 'approve' : 'deny', decided_by: `number ${index}` }),
      ),
    );
    const [winner, ...others] = answers.toSorted((one, other) => one.status - other.status);
    expect([winner?.status, ...new Set(others.map(({ status }) => status))]).toEqual([200, 409]);
    for (const { body } of others) {
      expect(body.detail.error).toMatchObject({
        code: 'approval_decided',
        details: { confirmation_id: id, state: winner?.body.state, decision: winner?.body.decision },
      });
    }
  });

  it.each([
    ['nothing', undefined],
    ['no decision', {}],
    ['an unknown one', { decision: 'maybe' }],
    ['an unknown scope', { decision: 'approve', scope: 'forever' }],
    ['an unknown match', { decision: 'approve', match: 'server' }],
    ['a long reason', { decision: 'deny', reason: 'x'.repeat(2001) }],
    ['a long name', { decision: 'deny', decided_by: 'x'.repeat(201) }],
    ['arguments that are a list', { decision: 'edit', arguments: [] }],
    ['arguments that do not fit', { decision: 'edit', arguments: { path: 7, more: true } }],
    ['arguments of another type', { decision: 'edit', arguments: { path: 7 } }],
    ['arguments within arguments', { decision: 'edit', arguments: { arguments: { path: 'x' } } }],
    ['text that is none', { decision: 'respond', content: 7 }],
  ])('with %s: 422', async (_what, body) => {
    expect(shownError(await decide(unused[0] ?? '', body))).toEqual([422, 'validation_error']);
  });

  it('names each misfit of edited arguments', async () => {
    const { body } = await decide(unused[0] ?? '', { decision: 'edit', arguments: { more: true } });
    expect(body.detail.error.details.errors).toEqual(
      expect.arrayContaining([
        { path: '/arguments/path', message: 'is missing' },
        { path: '/arguments/more', message: 'is not known' },
      ]),
    );
  });

  it('is never a fault of the server, whatever is sent', async () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom('approve', 'edit', 'respond', 'deny', 'always'));
    const bodies = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          decision: values,
          arguments: values,
          content: values,
          reason: values,
          scope: values,
          match: values,
          digest: values,
          decided_by: values,
        },
        { requiredKeys: [] },
      ),
    );
    const id = next();
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        expect((await decide(id, body)).status).toBeLessThan(500);
        expect((await server.post('/approvals/decide', { decisions: [body] })).status).toBeLessThan(500);
      }),
      { numRuns: 100 },
    );
  });

  it('about what a deleted session asked is not found', async () => {
    const asked = server.asked.find(({ session_id: id }) => id === 'gone');
    const id = asked?.confirmation_id ?? '';
    expect((await server.get(`/approvals/${id}`)).status).toBe(200);
    expect((await server.request('DELETE', '/sessions/gone')).status).toBe(204);
    expect(shownError(await decide(id, { decision: 'approve' }))).toEqual([404, 'confirmation_not_found']);
    expect((await server.get('/approvals?session_id=gone&status=all')).body.approvals).toEqual([]);
  });
});

describe('several decisions', () => {
  const decideMany = (decisions: unknown) => server.post('/approvals/decide', { decisions });

  it('are answered in their order', async () => {
    const decisions = [
      { confirmation_id: next(), decision: 'deny' },
      { confirmation_id: next(), decision: 'approve' },
    ];
    const { body } = await decideMany(decisions);
    expect(body.approvals.map(({ confirmation_id, state }: any) => [confirmation_id, state])).toEqual([
      [decisions[0]?.confirmation_id, 'denied'],
      [decisions[1]?.confirmation_id, 'approved'],
    ]);
  });

  it('hold for all or for none; the error names the one', async () => {
    const fine = next();
    const unfit = next();
    const { status, body } = await decideMany([
      { confirmation_id: fine, decision: 'approve' },
      { confirmation_id: unfit, decision: 'retry' },
    ]);
    expect([status, body.detail.error.code]).toEqual([422, 'decision_not_allowed']);
    expect(body.detail.error.details).toMatchObject({
      confirmation_id: unfit,
      allowed_decisions: ['approve', 'edit', 'respond', 'deny'],
    });
    expect((await server.get(`/approvals/${fine}`)).body.state).toBe('pending');
  });

  it.each([
    ['none', () => []],
    ['too many', () => many(129, 's').map(() => ({ confirmation_id: 'conf_1', decision: 'deny' }))],
    ['one twice', () => [0, 1].map(() => ({ confirmation_id: unused[0], decision: 'deny' }))],
    ['one without its id', () => [{ decision: 'deny' }]],
  ])('%s: 422', async (_what, decisions) => {
    expect(shownError(await decideMany(decisions()))).toEqual([422, 'validation_error']);
  });
});

describe('confirm-tool', () => {
  const confirm = (sessionId: string, id: string, approved: unknown = true) =>
    server.post(`/chat/${sessionId}/confirm-tool`, { confirmation_id: id, approved });

  it.each([
    [true, 'approved'],
    [false, 'denied'],
  ])('with %s says %s, once', async (approved, word) => {
    const id = next();
    const { status, body } = await confirm('s', id, approved);
    expect([status, body]).toEqual([
      200,
      { success: true, tool_name: 'delete_file', message: `Tool 'delete_file' execution ${word}` },
    ]);
    expect((await server.get(`/approvals/${id}`)).body.state).toBe(word);
    expect(shownError(await confirm('s', id, approved))).toEqual([404, 'confirmation_not_found']);
  });

  it('runs a call again whose outcome is unknown', async () => {
    expect((await confirm('s', ofOutcome)).status).toBe(200);
    expect((await server.get(`/approvals/${ofOutcome}`)).body.decision.decision).toBe('retry');
  });

  it('cannot answer a question, but can refuse to', async () => {
    expect(shownError(await confirm('s', ofQuestion))).toEqual([422, 'decision_not_allowed']);
    expect((await confirm('s', ofQuestion, false)).status).toBe(200);
    expect((await server.get(`/approvals/${ofQuestion}`)).body.state).toBe('denied');
  });

  it.each([
    ['of another session', 'inbox', () => unused[0] ?? '', 'confirmation_not_found'],
    ['that nobody knows', 's', () => 'conf_0123456789ab', 'confirmation_not_found'],
    ['of a session that nobody knows', 'nobody', () => unused[0] ?? '', 'session_not_found'],
  ])('%s: 404', async (_what, sessionId, id, code) => {
    expect(shownError(await confirm(sessionId, id()))).toEqual([404, code]);
  });

  it('wants a yes or a no', async () => {
    expect(shownError(await confirm('s', unused[0] ?? '', 'yes'))).toEqual([422, 'validation_error']);
  });
});

describe('what is remembered', () => {
  const grants = async (query = '') => (await server.get(`/tool-grants${query}`)).body.grants;

  it('is listed, revoked, and gone with new settings of the tools', async () => {
    const [inSession, everywhere] = [next(), next()];
    await decide(inSession, { decision: 'approve', scope: 'session' });
    await decide(everywhere, { decision: 'approve', scope: 'always', match: 'arguments' });
    const ofSession = {
      grant_id: expect.stringMatching(/^grant_[0-9a-f]{12}$/),
      scope: 'session',
      session_id: 's',
      tool_name: 'delete_file',
      match: 'tool',
      arguments: null,
      created_at: expect.any(String),
      confirmation_id: inSession,
      valid: true,
    };
    const ofAll = {
      ...ofSession,
      scope: 'always',
      session_id: null,
      match: 'arguments',
      arguments: { path: 'draft.txt' },
      confirmation_id: everywhere,
    };
    expect(await grants()).toEqual([ofAll, ofSession]);
    expect(await grants('?session_id=s')).toEqual([ofAll, ofSession]);
    expect(await grants('?session_id=inbox')).toEqual([ofAll]);

    await server.request('PATCH', '/sessions/s', { title: 'Still the same tools' });
    expect(await grants()).toEqual([ofAll, ofSession]);
    await server.request('PATCH', '/sessions/s', { tool_settings: { tools: ['delete_file'] } });
    expect(await grants()).toEqual([ofAll]);

    const [{ grant_id: id }] = await grants();
    expect((await server.request('DELETE', `/tool-grants/${id}`)).status).toBe(204);
    expect(await grants()).toEqual([]);
    expect(shownError(await server.request('DELETE', `/tool-grants/${id}`))).toEqual([
      404,
      'grant_not_found',
    ]);
  });
});

describe('the stream of changes', () => {
  const leaving = new AbortController();
  afterAll(() => leaving.abort());

  async function watch(headers: Record<string, string> = {}) {
    const url = `${server.url}/api/v1/approvals/stream`;
    const response = await fetch(url, { headers, signal: leaving.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
    return readEvents(response);
  }

  async function take(events: Awaited<ReturnType<typeof watch>>, count: number) {
    const taken = [];
    for (let index = 0; index < count; index += 1) {
      const { value } = await events.next();
      if (value === undefined) break;
      taken.push(value);
    }
    return taken;
  }

  it('tells what is pending, then each change as its row has it, over a restart, too', async () => {
    const { body } = await server.get('/approvals?limit=1000');
    const events = await watch();
    const pending = await take(events, body.approvals.length);
    expect(pending.map(({ data }) => data)).toEqual(body.approvals);
    expect(new Set(pending.map(({ event }) => event))).toEqual(new Set(['approval']));

    const [first, second, third] = [next(), next(), next()];
    const denied = await decide(first, { decision: 'deny', reason: 'No\u2028way' });
    const [told] = await take(events, 1);
    expect(told?.data).toEqual(denied.body);

    const later = [await decide(second, { decision: 'approve' }), await decide(third, { decision: 'deny' })];
    const missed = await take(events, 2);
    expect(missed.map(({ data }) => data)).toEqual(later.map((answer) => answer.body));

    await server.restart();
    const again = await watch({ 'last-event-id': String(told?.id) });
    expect(await take(again, 2)).toEqual(missed);
    const fourth = await decide(next(), { decision: 'deny' });
    expect((await take(again, 1)).map(({ data }) => data)).toEqual([fourth.body]);
  });

  it('ends when the server does', async () => {
    const { body } = await server.get('/approvals?limit=1000');
    const events = await watch();
    await take(events, body.approvals.length);
    const end = events.next();
    await server.restart();
    expect(await end).toEqual({ done: true, value: undefined });
  });
});

describe('with keys', () => {
  it('nothing is told or decided without one', async () => {
    await server.restart({ apiKeys: ['a-key'] });
    const id = unused[0] ?? '';
    const answers = [
      await server.get('/approvals'),
      await server.get(`/approvals/${id}`),
      await server.get('/approvals/stream'),
      await decide(id, { decision: 'approve' }),
      await server.post('/approvals/decide', { decisions: [{ confirmation_id: id, decision: 'deny' }] }),
      await server.post('/chat/s/confirm-tool', { confirmation_id: id, approved: true }),
      await server.get('/tool-grants'),
      await server.request('DELETE', '/tool-grants/grant_1'),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    const { body } = await server.get(`/approvals/${id}`, { authorization: 'Bearer a-key' });
    expect(body.state).toBe('pending');
  });
});

describe('time', () => {
  it('is over for those whose time passed while no server ran', async () => {
    const late = await startAskingServer({
      sessions: ['s'],
      drafts: [{ sessionId: 's' }],
      confirmTimeoutMs: 1,
    });
    const [asked] = late.asked;
    const id = asked?.confirmation_id ?? '';
    expect((await late.get(`/approvals/${id}`)).body.state).toBe('expired');
    expect(shownError(await late.post(`/approvals/${id}/decide`, { decision: 'approve' }))).toEqual([
      410,
      'approval_expired',
    ]);
    const confirmed = await late.post('/chat/s/confirm-tool', { confirmation_id: id, approved: true });
    expect(shownError(confirmed)).toEqual([404, 'confirmation_not_found']);
    await late.close();
  });
});
