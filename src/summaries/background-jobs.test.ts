// When jobs run, are tried again and are given up: on a real store, with an engine that does as it is told.
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/support/open-test-store.ts';
import type { Engine, EngineChatRequest, EngineChunk, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { beginJob, completeJob, findNextJob, settleJob } from '../store/background-jobs.ts';
import { findSession, updateSession } from '../store/sessions.ts';
import { BackgroundJobs, type BackgroundOptions } from './background-jobs.ts';

const MODEL: EngineModel = {
  name: 'llama3.2:latest',
  size_mb: 1,
  format: 'gguf',
  family: 'llama',
  parameter_size: '3B',
  quantization_level: 'Q4',
  capabilities: ['completion'],
  context_length: 8192,
  trainedLength: 8192,
  wishedWindow: null,
  digest: null,
  weights: 'weights',
};
const USAGE = { promptTokens: 1, outputTokens: 1, loadMs: null, promptEvalMs: null, evalMs: null };
const SUMMARY = '{"summary":"Fine.","topics":[]}';

/** Says a text, fails, or (null) waits until it is stopped; or says a text and ends when it may. */
type Reply = string | MochiError | null | Halting;

interface Halting {
  readonly text: string;
  readonly mayEnd: Promise<void>;
  /** Resolves when the text was taken. */
  readonly said: PromiseWithResolvers<void>;
}

function halting(text: string): Halting & { end(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { text, mayEnd: promise, said: Promise.withResolvers(), end: resolve };
}

let store: TestStore;
/** Of models, unless said otherwise of one. */
let size: string;
let sizes: Map<string, string>;
let replies: Reply[];
let calls: { readonly request: EngineChatRequest; readonly signal: AbortSignal }[];
let lines: { readonly level: number; readonly msg: string }[];
let jobs: BackgroundJobs;

async function* speak(reply: Reply, signal: AbortSignal): AsyncGenerator<readonly EngineChunk[], void> {
  await setImmediate();
  signal.throwIfAborted();
  if (reply instanceof MochiError) throw reply;
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  stopped.catch(() => undefined);
  if (reply === null) await stopped;
  yield [{ type: 'content', text: typeof reply === 'string' ? reply : (reply?.text ?? '') }];
  if (reply !== null && typeof reply !== 'string') {
    reply.said.resolve();
    await Promise.race([reply.mayEnd, stopped]);
  }
  yield [{ type: 'done', reason: 'stop', usage: USAGE }];
}

/** One after the other, then the last one for ever. */
function nextReply(): Reply {
  const [reply = SUMMARY] = replies;
  if (replies.length > 1) replies.shift();
  return reply;
}

const recall = async (name: string) => ({ ...MODEL, name, parameter_size: sizes.get(name) ?? size });

function unexpected(): never {
  throw new Error('a job fetches and deletes nothing');
}

function open(options: Partial<BackgroundOptions> = {}): BackgroundJobs {
  const engine: Engine = {
    name: 'scripted',
    address: 'memory',
    chat(request, signal) {
      calls.push({ request, signal });
      return speak(nextReply(), signal);
    },
    listModels: async () => [MODEL],
    defaultModel: async () => MODEL,
    findModel: recall,
    recallModel: recall,
    inventory: async () => '',
    describe: () => ({}),
    listLoaded: async () => [],
    pullModel: () => unexpected(),
    deleteModel: () => unexpected(),
    health: async () => ({ reachable: true, version: null }),
    close: async () => undefined,
  };
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const readConversation = async () => ({
    messages: [{ role: 'user' as const, content: 'Hi' }],
    window: 8192,
    answerTokens: 256,
  });
  const deps = { db: store.db, engine, log, isBackground: true, readConversation };
  return new BackgroundJobs(deps, {
    summaries: true,
    titles: false,
    minBillions: 1,
    idleMs: 1,
    pausesMs: [1, 1],
    ...options,
  });
}

/** A session whose last message is an answer, and which wants its summary. */
async function answered(id = 's', model = 'llama3.2:latest'): Promise<void> {
  const settings = { sessionId: id };
  if (id !== 's') await store.addSession(id);
  await updateSession(store.db, id, { model });
  const question = await store.append(null, `question-${id}`, settings);
  await store.append(question, `answer-${id}`, { ...settings, role: 'assistant' });
  await answeredBy(model, id);
}

/** The session has one more answer. */
const answeredBy = (model: string, id = 's') =>
  jobs.answered(store.db, { session_id: id, title: null, model, kind: 'chat', isListed: true });

const next = () => findNextJob(store.db, ['summary', 'title'], []);
const summaryOf = async (id = 's') => (await findSession(store.db, id))?.summary?.summary;
const warnings = () => lines.filter(({ level }) => level >= 40).map(({ msg }) => msg);
const outage = new MochiError('ollama_unreachable', 'It is gone.');
const broken = new MochiError('ollama_error', 'It broke.');

beforeEach(async () => {
  store = await openTestStore();
  [replies, calls, lines] = [[], [], []];
  [size, sizes] = ['3B', new Map()];
  jobs = open();
});
afterEach(async () => {
  await jobs.close();
  await store.close();
});

describe('a job', () => {
  it('is done once', async () => {
    await answered();
    jobs.start();
    await expect.poll(() => summaryOf()).toBe('Fine.');
    jobs.hold().release();
    await expect.poll(next).toBeNull();
    expect(calls).toHaveLength(1);
  });

  it('waits while a client holds the engine, and runs when the last one lets go', async () => {
    await answered();
    const [first, second] = [jobs.hold(), jobs.hold()];
    jobs.start();
    first.release();
    // A second release of the same hold is none.
    first.release();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toEqual([]);
    second.release();
    await expect.poll(() => summaryOf()).toBe('Fine.');
  });

  it('has stopped when the hold is there, and is taken up after it', async () => {
    replies = [null, SUMMARY];
    await answered();
    jobs.start();
    await expect.poll(() => calls.length).toBe(1);
    const hold = jobs.hold();
    expect(calls[0]?.signal.aborted).toBe(true);
    hold.release();
    await expect.poll(() => summaryOf()).toBe('Fine.');
    expect(calls).toHaveLength(2);
    expect(warnings()).toEqual([]);
  });

  it('that has said all but its end is not stopped for a client, and is stored', async () => {
    const reply = halting(SUMMARY);
    replies = [reply];
    await answered();
    jobs.start();
    await reply.said.promise;
    jobs.hold();
    expect(calls[0]?.signal.aborted).toBe(false);
    reply.end();
    await expect.poll(() => summaryOf()).toBe('Fine.');
    expect(await next()).toBeNull();
  });

  it.each([
    ['a little later, where its end does not come', SUMMARY, false],
    ['at once, where it has more to say', SUMMARY.slice(0, 12), true],
  ])('is stopped for a client %s', async (_when, text, isStoppedAtOnce) => {
    const reply = halting(text);
    replies = [reply];
    await answered();
    jobs.start();
    await reply.said.promise;
    jobs.hold();
    expect(calls[0]?.signal.aborted).toBe(isStoppedAtOnce);
    await expect.poll(() => calls[0]?.signal.aborted).toBe(true);
  });

  it('does not ask a second time where a client has come meanwhile', async () => {
    const reply = halting('{"nothing":"of use"}');
    replies = [reply, SUMMARY];
    await answered();
    jobs.start();
    await reply.said.promise;
    const hold = jobs.hold();
    reply.end();
    await expect.poll(() => calls[0]?.signal.aborted).toBe(true);
    expect(calls).toHaveLength(1);
    hold.release();
    await expect.poll(() => summaryOf()).toBe('Fine.');
  });

  it('is stopped by the end of the server, and by nothing else in it', async () => {
    replies = [null];
    await answered();
    jobs.start();
    await expect.poll(() => calls.length).toBe(1);
    await jobs.close();
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(await next()).toMatchObject({ sessionId: 's', kind: 'summary', attempts: 0 });
  });

  it('of a deleted session is stopped; the next one runs', async () => {
    replies = [null, SUMMARY];
    await answered();
    await answered('other');
    jobs.start();
    await expect.poll(() => calls.length).toBe(1);
    await store.db.deleteFrom('session_rows').where('id', '=', 's').execute();
    jobs.stopSession('other');
    expect(calls[0]?.signal.aborted).toBe(false);
    jobs.stopSession('s');
    await expect.poll(() => summaryOf('other')).toBe('Fine.');
    expect(await next()).toBeNull();
  });
});

describe('a job that fails', () => {
  it('is tried again after each pause, then given up with a word: the old summary stays', async () => {
    await answered();
    await updateSession(store.db, 's', { summary: { summary: 'Old.', topics: [] } });
    replies = [broken];
    jobs.start();
    await expect.poll(next).toBeNull();
    expect(calls).toHaveLength(3);
    expect(warnings()).toContain('background job given up; what there was is kept');
    expect(await summaryOf()).toBe('Old.');
  });

  it('by what the model wrote is asked twice each time', async () => {
    await answered();
    replies = ['Sure!'];
    jobs.start();
    await expect.poll(next).toBeNull();
    expect(calls).toHaveLength(6);
  });

  it('keeps waiting whoever needs the same model, and nobody else', async () => {
    await jobs.close();
    jobs = open({ pausesMs: [3_600_000] });
    await answered();
    await answered('alike');
    await answered('other', 'mistral:latest');
    replies = [broken, SUMMARY];
    jobs.start();
    await expect.poll(() => summaryOf('other')).toBe('Fine.');
    jobs.hold().release();
    await expect.poll(async () => (await findNextJob(store.db, ['summary'], []))?.sessionId).toBe('alike');
    expect(calls).toHaveLength(2);
    expect(await summaryOf()).toBeUndefined();
  });

  it('is not tried any sooner because its model answers clients', async () => {
    await jobs.close();
    jobs = open({ pausesMs: [3_600_000] });
    replies = [broken];
    await answered();
    jobs.start();
    await expect.poll(async () => (await next())?.attempts).toBe(1);
    replies = [SUMMARY];
    await answeredBy('llama3.2:latest');
    const hold = jobs.hold();
    await answered('other', 'mistral:latest');
    hold.release();
    await expect.poll(() => summaryOf('other')).toBe('Fine.');
    expect(calls).toHaveLength(2);
  });

  it('four times in a row by one model is the last of that model until another one has answered', async () => {
    await jobs.close();
    jobs = open({ pausesMs: [1, 1, 1] });
    replies = [broken];
    await answered();
    jobs.start();
    await expect.poll(next).toBeNull();
    expect(calls).toHaveLength(4);
    expect(warnings()).toContain(
      'a model that fails again and again is asked for no more until another one has answered',
    );

    replies = [SUMMARY];
    await answeredBy('llama3.2:latest');
    await answered('alike');
    jobs.hold().release();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(calls).toHaveLength(4);
    await answered('other', 'mistral:latest');
    jobs.hold().release();
    await expect.poll(next).toBeNull();
    expect([await summaryOf(), await summaryOf('alike'), await summaryOf('other')]).toEqual(
      Array(3).fill('Fine.'),
    );
  });

  it('is due again whatever the clock says', async () => {
    await answered();
    await store.db
      .updateTable('background_jobs')
      .set({ due_at: Date.now() + 7_200_000 })
      .execute();
    jobs.start();
    await expect.poll(() => summaryOf()).toBe('Fine.');
  });
});

describe('a model below a billion parameters', () => {
  beforeEach(async () => {
    await jobs.close();
    size = '134.52M';
  });

  it('is not asked: the title is how the conversation begins, and there is no summary', async () => {
    jobs = open({ titles: true });
    await answered();
    jobs.start();
    await expect.poll(next).toBeNull();
    expect((await findSession(store.db, 's'))?.title).toBe('question-s');
    expect(await summaryOf()).toBeUndefined();
    expect(calls).toEqual([]);
  });

  it('is asked where the operator wants all of them', async () => {
    jobs = open({ titles: true, minBillions: 0 });
    replies = ['{"title":"Found"}', SUMMARY];
    await answered();
    jobs.start();
    await expect.poll(() => summaryOf()).toBe('Fine.');
    expect((await findSession(store.db, 's'))?.title).toBe('Found');
  });

  it('leaves it to a larger one that is named for summaries', async () => {
    sizes.set('mistral:latest', '7B');
    jobs = open();
    await answered();
    await updateSession(store.db, 's', { summary_model: 'mistral:latest' });
    jobs.start();
    await expect.poll(() => summaryOf()).toBe('Fine.');
    expect(calls.map(({ request }) => request.model)).toEqual(['mistral:latest']);
  });
});

describe('an engine that is gone', () => {
  it('is tried a few times, mentioned once, and left alone until a client has had an answer', async () => {
    await answered();
    await answered('other');
    replies = [outage];
    jobs.start();
    await expect.poll(() => calls.length).toBe(3);
    for (let round = 0; round < 5; round += 1) {
      jobs.hold().release();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(calls).toHaveLength(3);
    expect(warnings()).toEqual(['background work waits for the engine']);
    // Nothing was wrong with the jobs themselves.
    expect(await next()).toMatchObject({ attempts: 0 });

    replies = [SUMMARY];
    await answered('third');
    jobs.hold().release();
    await expect.poll(next).toBeNull();
    expect(await summaryOf()).toBe('Fine.');
  });
});

describe('a result', () => {
  it('of an older state is not stored over a newer one', async () => {
    await answered();
    const name = { sessionId: 's', kind: 'summary' } as const;
    const early = await beginJob(store.db, name);
    const late = await beginJob(store.db, name);
    expect(await completeJob(store.db, { ...name, version: late })).toBe(true);
    expect(await completeJob(store.db, { ...name, version: early })).toBe(false);
    expect(await next()).toBeNull();
  });

  it('of an older state is stored while there is no newer one; the job is due again', async () => {
    await answered();
    const job = await next();
    if (job === null) throw new Error('no job');
    await answeredBy('llama3.2:latest');
    expect(await completeJob(store.db, job)).toBe(true);
    expect(await next()).toMatchObject({ version: job.version + 1 });
  });

  it('that begins and never comes makes nothing due', async () => {
    await beginJob(store.db, { sessionId: 's', kind: 'summary' });
    expect(await next()).toBeNull();
  });

  it('comes too late for a job that was settled', async () => {
    await answered();
    const job = await next();
    if (job === null) throw new Error('no job');
    await settleJob(store.db, job);
    expect(await next()).toBeNull();
    expect(await completeJob(store.db, job)).toBe(false);
  });
});

it('answers that are switched off leave no trace', async () => {
  await jobs.close();
  jobs = open({ summaries: false, titles: false });
  jobs.start();
  await answered();
  jobs.hold().release();
  expect(await next()).toBeNull();
});

it('of an agent chat nothing is wanted, nor of a session that is in no list', async () => {
  await jobs.close();
  jobs = open({ summaries: true, titles: true });
  const chat = {
    session_id: 's',
    title: null,
    model: 'llama3.2:latest',
    kind: 'agent' as const,
    isListed: true,
  };
  await jobs.answered(store.db, chat);
  expect(await next()).toBeNull();
  await jobs.answered(store.db, { ...chat, kind: 'chat', isListed: false });
  expect(await next()).toBeNull();
  await jobs.answered(store.db, { ...chat, kind: 'chat' });
  expect(await next()).toMatchObject({ kind: 'title' });
});

it('a title is wanted once in the life of a session, and not where there is one', async () => {
  await jobs.close();
  jobs = open({ summaries: false, titles: true });
  await jobs.answered(store.db, {
    session_id: 's',
    title: 'Mine',
    model: 'llama3.2:latest',
    kind: 'chat',
    isListed: true,
  });
  expect(await next()).toBeNull();
  await answered();
  const job = await next();
  expect(job).toMatchObject({ kind: 'title', attempts: 0 });
  if (job !== null) await completeJob(store.db, job);
  await answeredBy('llama3.2:latest');
  expect(await next()).toBeNull();
});
