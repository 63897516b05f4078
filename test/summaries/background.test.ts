// Summaries and titles that nobody asked for: after an answer, one at a time, and never in the way of a client.
import { join } from 'node:path';
import SqliteDriver from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { httpError, mute, text, toolCall } from '../fake-ollama/chat-script.ts';
import { firstTokenMs, gateAfter, hangAfter, script } from '../fake-ollama/script-modifiers.ts';
import { useGates } from '../support/gates.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { inTurn, isKind, json, kindOf, requestsOf, summaryOf, titleOf, write } from './writer.ts';

const ON = { summarizationEnabled: true, titlesEnabled: true, summaryMinBillions: 0 };
/** Patience for a loaded machine; what is waited for comes within a second. */
const PATIENT = { timeout: 10_000, interval: 20 };

const gates = useGates();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: ON });
});
afterEach(() => {
  server.ollama.setDefault(write());
  server.ollama.requests.length = 0;
});
afterAll(() => server.close());

const chat = (sessionId: string, message = 'What is the capital of France?') =>
  server.chat(sessionId, { message });

async function talk(settings: Record<string, unknown> = {}): Promise<string> {
  const sessionId = await server.createSession(settings);
  await chat(sessionId);
  return sessionId;
}

const summaryComes = (sessionId: string, summary: unknown = expect.any(String)) =>
  expect.poll(() => summaryOf(server, sessionId), PATIENT).toEqual(summary);

const titleComes = (sessionId: string, title: string) =>
  expect.poll(() => titleOf(server, sessionId), PATIENT).toBe(title);

/** Whatever was due before has been done, or will not be: jobs run in the order in which they became due. */
async function allIsDone(): Promise<void> {
  const lastId = await server.createSession();
  await chat(lastId, 'The last one');
  await summaryComes(lastId);
  await expect.poll(() => jobsDue(), PATIENT).toBe(0);
}

function countJobs(condition: string): number {
  const driver = new SqliteDriver(join(server.dataDir, 'mochi.db'), { readonly: true });
  try {
    return Number(driver.prepare(`select count(*) from background_jobs where ${condition}`).pluck().get());
  } finally {
    driver.close();
  }
}

const jobsDue = () => countJobs('wanted > done');
const aboutSession = (kind: 'title' | 'summary', question: string) =>
  requestsOf(server.ollama, kind).filter(({ rawBody }) => rawBody.includes(question));

describe('after an answer', () => {
  it('the session gets a title and a summary, and stays where it is in the list', async () => {
    server.ollama.setDefault(write());
    const sessionId = await talk();
    const { updated_at: updatedAt } = (await server.get(`/sessions/${sessionId}`)).body;
    await summaryComes(sessionId, 'Of 3 messages.');
    const [listed] = (await server.get('/sessions?limit=1')).body.sessions;
    expect(listed).toMatchObject({
      session_id: sessionId,
      updated_at: updatedAt,
      title: 'Capital of France',
      summary: { summary: 'Of 3 messages.', topics: ['France'] },
    });
    expect((await server.get(`/sessions/${sessionId}/summary`)).body.model_used).toBe('llama3.2:latest');
    expect((await server.get(`/sessions/${sessionId}`)).body.summary_model).toBeNull();
  });

  it('both begin with what the engine has read already, in the same window', async () => {
    const sessionId = await talk({ system_prompt: 'Be brief.' });
    await summaryComes(sessionId);
    const requests = server.ollama.requestsTo('/api/chat').map(({ body }) => body);
    expect(requests.map(kindOf)).toEqual(['chat', 'title', 'summary']);
    const [asked, ...later] = requests;
    const read = [...(asked?.messages ?? []), { role: 'assistant', content: 'The capital is Paris.' }];
    for (const body of later) {
      expect(body?.messages?.slice(0, -1)).toEqual(read);
      expect(body).toMatchObject({ think: false, options: { num_ctx: asked?.options?.['num_ctx'] } });
    }
    expect(server.ollama.reloads).toEqual({});
  });

  it('a window for one turn is kept: nothing is loaded anew', async () => {
    const sessionId = await server.createSession({ model: 'tiny' });
    await server.chat(sessionId, { message: 'Small?', options: { num_ctx: 2048 } });
    await summaryComes(sessionId);
    expect(server.ollama.reloads).toEqual({});
    const windows = server.ollama.requestsTo('/api/chat').map(({ body }) => body?.options?.['num_ctx']);
    expect(windows).toEqual([2048, 2048, 2048]);
  });

  it('the next one brings a new summary, but no second title', async () => {
    const sessionId = await talk();
    await summaryComes(sessionId, 'Of 3 messages.');
    await chat(sessionId, 'And of Italy?');
    await summaryComes(sessionId, 'Of 5 messages.');
    expect(requestsOf(server.ollama, 'title')).toHaveLength(1);
    const asked = requestsOf(server.ollama, 'summary').at(-1)?.body?.messages?.at(-1)?.content;
    expect(asked).toContain('Of 3 messages.');
  });

  it('of a turn with tools, it is the last one that counts', async () => {
    const sessionId = await server.createSession();
    server.ollama.setDefault(write({ chat: inTurn(toolCall('look', {}), text('Seen.')) }));
    await chat(sessionId, 'Look!');
    await summaryComes(sessionId);
    expect(requestsOf(server.ollama, 'summary')).toHaveLength(1);
  });

  it('that failed or was cut, nothing is written', async () => {
    const [failedId, cutId, misfitId] = [
      await server.createSession(),
      await server.createSession(),
      await server.createSession(),
    ];
    const cut = script(text('Half'), hangAfter(1));
    server.ollama.setDefault(
      write({ chat: inTurn(httpError(500, 'no'), cut, text('no JSON'), text('Fine.')) }),
    );
    await server.post(`/chat/${failedId}`, { message: 'failing' });
    const stream = await server.stream(`/chat/${cutId}/stream`, { message: 'cutting' });
    await stream.events.next();
    await server.ollama.waitForRequest('/api/chat', ({ rawBody }) => rawBody.includes('cutting'));
    stream.abort();
    await expect.poll(async () => (await server.get(`/sessions/${cutId}`)).body.active_turn).toBeNull();
    await server.post(`/chat/${misfitId}`, { message: 'misfitting', format: 'json' });
    await allIsDone();
    for (const question of ['failing', 'cutting', 'misfitting']) {
      expect(aboutSession('summary', question)).toEqual([]);
      expect(aboutSession('title', question)).toEqual([]);
    }
  });
});

describe('a client comes first', () => {
  it('nothing begins while any session is answered; then each has one job, however many answers it had', async () => {
    const [busyId, holderId] = [await server.createSession(), await server.createSession()];
    const held = script(text('Wait'), hangAfter(1));
    const isHolder = (message: string | null | undefined) => message === 'Hold';
    server.ollama.setDefault(
      write({ chat: ({ messages }) => (isHolder(messages?.at(-1)?.content) ? held : text('Yes.')) }),
    );
    const holder = await server.stream(`/chat/${holderId}/stream`, { message: 'Hold' });
    for (let round = 1; round <= 10; round += 1) await chat(busyId, `Busy ${round}?`);
    expect(server.ollama.requestsTo('/api/chat').map(({ body }) => kindOf(body))).not.toContain('summary');
    expect(requestsOf(server.ollama, 'title')).toEqual([]);
    holder.abort();
    await summaryComes(busyId, 'Of 21 messages.');
    await allIsDone();
    expect(aboutSession('summary', 'Busy 1?')).toHaveLength(1);
    expect(aboutSession('title', 'Busy 1?')).toHaveLength(1);
  });

  it('one job runs at a time', async () => {
    const ids = await Promise.all([1, 2, 3].map(() => server.createSession()));
    let started = countJobs('done > 0');
    let most = 0;
    const slow = (value: unknown) => () => {
      // The one before has been stored when the next one is asked for.
      started += 1;
      most = Math.max(most, started - countJobs('done > 0'));
      return script(json(value), firstTokenMs(20));
    };
    server.ollama.setDefault(
      write({ title: slow({ title: 'T' }), summary: slow({ summary: 'S', topics: [] }) }),
    );
    await Promise.all(ids.map((id) => chat(id)));
    for (const id of ids) await summaryComes(id, 'S');
    expect(most).toBe(1);
  });

  it('a summary that a client asks for stops the one in the background, and stands for it', async () => {
    server.ollama.setDefault(write({ summary: inTurn(mute(), json({ summary: 'Mine.', topics: [] })) }));
    const sessionId = await talk();
    await server.ollama.waitForRequest('/api/chat', isKind('summary'));
    const { body } = await server.post(`/sessions/${sessionId}/summarize`);
    expect(body.summary).toBe('Mine.');
    const [background] = requestsOf(server.ollama, 'summary');
    expect(background?.aborted).toBe(true);
    server.ollama.setDefault(write());
    await allIsDone();
    expect(await summaryOf(server, sessionId)).toBe('Mine.');
    expect(aboutSession('summary', 'What is the capital')).toHaveLength(2);
  });
});

describe('a session that changes meanwhile', () => {
  it('is summarized again when another branch was chosen', async () => {
    const sessionId = await talk();
    await summaryComes(sessionId, 'Of 3 messages.');
    const [, firstAnswer] = await server.messages(sessionId);
    const gate = gates.make();
    const slow = script(json({ summary: 'Of the long branch.', topics: [] }), gateAfter(0, gate.opened));
    server.ollama.setDefault(
      write({ summary: inTurn(slow, json({ summary: 'Of the short one.', topics: [] })) }),
    );
    await chat(sessionId, 'And of Italy?');
    const before = requestsOf(server.ollama, 'summary').length;
    await expect.poll(() => requestsOf(server.ollama, 'summary').length, PATIENT).toBe(before + 1);
    await server.request('PUT', `/sessions/${sessionId}/head`, { message_id: firstAnswer.message_id });
    gate.open();
    await summaryComes(sessionId, 'Of the short one.');
    expect(requestsOf(server.ollama, 'summary').at(-1)?.rawBody).not.toContain('Italy');
  });

  it('is left alone when it was deleted; the others get theirs', async () => {
    const deletedId = await server.createSession();
    const keptId = await server.createSession();
    server.ollama.setDefault(
      write({
        title: ({ messages }) => (messages?.[0]?.content === 'Delete me' ? mute() : json({ title: 'T' })),
      }),
    );
    await Promise.all([chat(deletedId, 'Delete me'), chat(keptId, 'Keep me')]);
    await expect.poll(() => aboutSession('title', 'Delete me').length, PATIENT).toBeGreaterThan(0);
    expect((await server.request('DELETE', `/sessions/${deletedId}`)).status).toBe(204);
    await server.ollama.waitForAbort(isKind('title'));
    await summaryComes(keptId);
    expect((await server.get(`/sessions/${deletedId}`)).status).toBe(404);
    expect(countJobs(`session_id = '${deletedId}'`)).toBe(0);
  });
});

describe('a model', () => {
  it('that cannot write summaries is not asked, unless another one is named', async () => {
    const [bareId, helpedId] = [
      await server.createSession({ model: 'qwen3:14b' }),
      await server.createSession({ model: 'qwen3:14b', summary_model: 'tiny' }),
    ];
    await chat(bareId, 'Bare?');
    await chat(helpedId, 'Helped?');
    await summaryComes(helpedId);
    await allIsDone();
    expect(aboutSession('summary', 'Bare?')).toEqual([]);
    expect(aboutSession('summary', 'Helped?').map(({ body }) => body?.model)).toEqual(['tiny:latest']);
    expect((await server.get(`/sessions/${helpedId}/summary`)).body.model_used).toBe('tiny:latest');
  });

  it.each([
    ['thoughts before it', '<think>A title? {"title":"No"}</think>', ''],
    ['prose around it', 'Sure! Here is the JSON: ', ' Anything else?'],
    ['a fence on one line', '```json ', '```'],
  ])('that writes %s is understood', async (_what, before, after) => {
    const wrapped = (value: unknown) => () => text(`${before}${JSON.stringify(value)}${after}`);
    server.ollama.setDefault(
      write({ title: wrapped({ title: 'T' }), summary: wrapped({ summary: 'S', topics: [] }) }),
    );
    const sessionId = await talk();
    await summaryComes(sessionId, 'S');
    await titleComes(sessionId, 'T');
    expect(requestsOf(server.ollama, 'title')).toHaveLength(1);
    expect(requestsOf(server.ollama, 'summary')).toHaveLength(1);
  });

  it('that answers garbage once is asked once more', async () => {
    server.ollama.setDefault(write({ title: inTurn(text('Sure!'), json({ title: 'Second' })) }));
    const sessionId = await talk();
    await titleComes(sessionId, 'Second');
    expect(requestsOf(server.ollama, 'title')).toHaveLength(2);
  });

  it('that answers garbage twice leaves the old summary; other models write theirs', async () => {
    const sessionId = await talk();
    await summaryComes(sessionId, 'Of 3 messages.');
    server.ollama.setDefault(
      write({ summary: inTurn(text('Sure!'), text('Sure!'), json({ summary: 'S', topics: [] })) }),
    );
    await chat(sessionId, 'And of Italy?');
    await expect.poll(() => countJobs('attempts = 1'), PATIENT).toBe(1);
    const otherId = await talk({ model: 'llava:7b' });
    await summaryComes(otherId, 'S');
    expect(await summaryOf(server, sessionId)).toBe('Of 3 messages.');
    await server.request('DELETE', `/sessions/${sessionId}`);
  });
});

describe('a title', () => {
  it.each([
    ['“フランスの首都”。', 'フランスの首都'],
    ['**Title:** "Столица Франции."', 'Столица Франции'],
    ['Eine Reise 👩‍👩‍👧\nnach Paris', 'Eine Reise 👩‍👩‍👧'],
    ['<think>Something short.</think>Capitals', 'Capitals'],
  ])('%j is stored as %j', async (given, stored) => {
    server.ollama.setDefault(write({ title: () => json({ title: given }) }));
    await titleComes(await talk(), stored);
  });

  it('of the client stays, given before, meanwhile or after', async () => {
    const beforeId = await server.createSession({ title: 'Mine' });
    await chat(beforeId, 'Before?');
    await summaryComes(beforeId);
    expect(aboutSession('title', 'Before?')).toEqual([]);

    const gate = gates.make();
    const late = script(json({ title: 'Late' }), gateAfter(0, gate.opened));
    server.ollama.setDefault(write({ title: () => late }));
    const duringId = await server.createSession();
    await chat(duringId, 'During?');
    await server.ollama.waitForRequest('/api/chat', isKind('title'));
    await server.request('PATCH', `/sessions/${duringId}`, { title: 'Mine too' });
    gate.open();
    await summaryComes(duringId);
    expect(await titleOf(server, duringId)).toBe('Mine too');

    await server.request('PATCH', `/sessions/${duringId}`, { title: 'Changed' });
    await chat(duringId, 'After?');
    await allIsDone();
    expect(await titleOf(server, duringId)).toBe('Changed');
    expect(aboutSession('title', 'During?')).toHaveLength(1);
  });

  it('that was cleared is not written again, also when it was cleared while it was being written', async () => {
    const sessionId = await talk();
    await titleComes(sessionId, 'Capital of France');
    await server.request('PATCH', `/sessions/${sessionId}`, { title: null });
    await chat(sessionId, 'Once more?');

    const gate = gates.make();
    const late = script(json({ title: 'Late' }), gateAfter(0, gate.opened));
    server.ollama.setDefault(write({ title: () => late }));
    const duringId = await server.createSession();
    await chat(duringId, 'During?');
    await expect.poll(() => aboutSession('title', 'During?').length, PATIENT).toBe(1);
    await server.request('PATCH', `/sessions/${duringId}`, { title: null });
    gate.open();
    await allIsDone();
    expect(await titleOf(server, sessionId)).toBeNull();
    expect(await titleOf(server, duringId)).toBeNull();
    expect(aboutSession('title', 'Once more?')).toEqual([]);
  });
});

describe('a restart', () => {
  it('takes up what was under way', async () => {
    server.ollama.setDefault(write({ title: mute }));
    const sessionId = await talk();
    await server.ollama.waitForRequest('/api/chat', isKind('title'));
    await server.restart();
    await server.ollama.waitForAbort(isKind('title'));
    server.ollama.setDefault(write());
    // The first attempt of the new start may have met the silent model: a turn ends it.
    await chat(await server.createSession(), 'Wake up');
    await summaryComes(sessionId);
    expect(await titleOf(server, sessionId)).toBe('Capital of France');
    // What is left would wait for ever where titles are off.
    await allIsDone();
  });

  it('with titles off writes no title, with summaries off no summary, with both off nothing', async () => {
    await server.restart({ titlesEnabled: false });
    const untitledId = await talk();
    await summaryComes(untitledId);
    await allIsDone();
    expect(await titleOf(server, untitledId)).toBeNull();

    await server.restart({ titlesEnabled: true, summarizationEnabled: false });
    server.ollama.requests.length = 0;
    const titledId = await talk();
    await titleComes(titledId, 'Capital of France');
    const lastId = await talk();
    await titleComes(lastId, 'Capital of France');
    expect(await summaryOf(server, titledId)).toBeNull();
    expect(requestsOf(server.ollama, 'summary')).toEqual([]);

    await server.restart({ titlesEnabled: false, summarizationEnabled: false });
    const rows = countJobs('true');
    const bareId = await talk();
    expect(countJobs('true')).toBe(rows);
    expect((await server.post(`/sessions/${bareId}/summarize`)).status).toBe(200);
    await server.restart(ON);
  });
});

describe('a model below a billion parameters', () => {
  it('is asked for nothing by itself: the title is how the conversation began', async () => {
    await server.restart({ ...ON, summaryMinBillions: 1 });
    server.ollama.requests.length = 0;
    const toyId = await server.createSession({ model: 'tiny' });
    await chat(toyId, '**What** is the capital of France, and how many people live there today, roughly?');
    await titleComes(toyId, 'What is the capital of France, and how many people live…');
    await allIsDone();
    expect(aboutSession('title', 'roughly?')).toEqual([]);
    expect(aboutSession('summary', 'roughly?')).toEqual([]);
    expect(await summaryOf(server, toyId)).toBeNull();
    expect((await server.post(`/sessions/${toyId}/summarize`)).body.model_used).toBe('tiny:latest');
    await server.restart(ON);
  });

  it('has no title where there are no words to make one of', async () => {
    await server.restart({ ...ON, summaryMinBillions: 1 });
    const toyId = await server.createSession({ model: 'tiny' });
    await chat(toyId, '...');
    await allIsDone();
    expect(await titleOf(server, toyId)).toBeNull();
    await server.restart(ON);
  });
});
