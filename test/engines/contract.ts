// What every Engine must do, whatever runs behind it. A new one is held to it by a line in contract.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, EngineChatRequest, EngineChunk } from '../../src/contract/engine.ts';
import { MochiError } from '../../src/contract/errors.ts';

export interface EngineUnderTest {
  readonly engine: Engine;
  /** An installed model that can chat. */
  readonly model: string;
  /** What one says to it for a short answer, and for one that takes its time. */
  readonly shortQuestion: string;
  readonly longQuestion: string;
  /** Of every answer that is not stopped: a model may find no end by itself. */
  readonly options?: EngineChatRequest['options'];
  close(): Promise<void>;
}

type Question = Partial<EngineChatRequest> & { readonly text: string };

const WINDOW = 2048;
/** Real models take their time on a busy machine. */
const PATIENCE_MS = 120_000;

export function describeEngine(name: string, start: () => Promise<EngineUnderTest>): void {
  describe(`the engine contract: ${name}`, { timeout: PATIENCE_MS }, () => {
    let under: EngineUnderTest;
    beforeAll(async () => {
      under = await start();
    }, PATIENCE_MS);
    afterAll(() => under.close());

    const ask = ({ text, ...request }: Question, signal = new AbortController().signal) =>
      under.engine.chat(
        {
          model: under.model,
          messages: [{ role: 'user', content: text }],
          think: false,
          window: WINDOW,
          options: under.options ?? {},
          ...request,
        },
        signal,
      );
    const answer = async (question: Question) => {
      const batches = await Array.fromAsync(ask(question));
      expect(batches.every((batch) => batch.length > 0)).toBe(true);
      return batches.flat();
    };
    const expectAnswer = (chunks: readonly EngineChunk[]) => {
      expect(chunks.filter(({ type }) => type === 'done')).toHaveLength(1);
      expect(chunks.at(-1)).toMatchObject({ type: 'done', reason: expect.stringMatching(/./) });
      expect(textOf(chunks)).not.toBe('');
    };
    const code = (run: Promise<unknown>) =>
      run.then(
        () => 'no error',
        (error: unknown) => {
          expect(error).toBeInstanceOf(MochiError);
          return (error as MochiError).code;
        },
      );

    it('says who and where it is', async () => {
      expect(under.engine.name).toMatch(/^[a-z]+$/);
      expect(under.engine.address).not.toBe('');
      expect(await under.engine.health()).toEqual({ reachable: true, version: expect.any(String) });
    });

    it('lists models that can chat, with what planning needs', async () => {
      const models = await under.engine.listModels();
      expect(models.map((model) => model.name)).toContain(under.model);
      for (const model of models) {
        expect(model.capabilities).toContain('completion');
        expect(model.trainedLength === null || model.trainedLength > 0).toBe(true);
        expect(model.context_length).toBeGreaterThan(0);
        expect(model.size_mb).toBeGreaterThanOrEqual(0);
      }
    });

    it('finds a model by its name in any letter case, and nothing by another', async () => {
      const found = await under.engine.findModel(under.model.toUpperCase());
      expect(found?.name).toBe(under.model);
      expect(await under.engine.recallModel(under.model)).toEqual(found);
      for (const wrong of ['nobody-has-this', '../../etc/passwd', '', ' ', 'a'.repeat(600)]) {
        expect(await under.engine.findModel(wrong)).toBeNull();
      }
      // Of many only the first are named.
      const [first] = await under.engine.listModels();
      expect(await under.engine.inventory()).toContain(first?.name);
    });

    it('answers in batches and ends with one done chunk that counts', async () => {
      const chunks = await answer({ text: under.shortQuestion });
      expectAnswer(chunks);
      const last = chunks.at(-1);
      if (last?.type !== 'done') throw new Error('no done chunk');
      expect(last.usage.promptTokens).toBeGreaterThan(0);
      expect(last.usage.outputTokens).toBeGreaterThan(0);
      for (const duration of [last.usage.loadMs, last.usage.promptEvalMs, last.usage.evalMs]) {
        expect(duration === null || duration >= 0).toBe(true);
      }
    });

    it('holds the model in memory with the window that was asked for', async () => {
      await answer({ text: under.shortQuestion, window: WINDOW });
      const loaded = await under.engine.listLoaded();
      // By any of its names: the one that loaded it is shown.
      const { weights } = (await under.engine.findModel(under.model)) ?? {};
      expect(loaded).toContainEqual(expect.objectContaining({ weights, window: WINDOW }));
      for (const { expiresInMs } of loaded) expect(expiresInMs === null || expiresInMs > 0).toBe(true);
    });

    it('describes what it would send without sending it', () => {
      const messages = [{ role: 'user' as const, content: under.shortQuestion }];
      const request = { model: under.model, messages, think: false, window: WINDOW, options: { seed: 7 } };
      expect(JSON.stringify(under.engine.describe(request))).toContain(JSON.stringify(under.shortQuestion));
    });

    it('stops at once when it is aborted, and answers the next one', async () => {
      const abort = new AbortController();
      const chat = ask({ text: under.longQuestion }, abort.signal)[Symbol.asyncIterator]();
      expect((await chat.next()).done).toBe(false);
      const reason = new Error('enough');
      const next = drain(chat);
      abort.abort(reason);
      await expect(next).rejects.toBe(reason);
      expectAnswer(await answer({ text: under.shortQuestion }));
    });

    it('stops when nobody reads on, and answers the next one', async () => {
      for await (const batch of ask({ text: under.longQuestion })) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
      expectAnswer(await answer({ text: under.shortQuestion }));
    });

    it('does not begin what is aborted already', async () => {
      const reason = new Error('before');
      await expect(
        Array.fromAsync(ask({ text: under.shortQuestion }, AbortSignal.abort(reason))),
      ).rejects.toBe(reason);
    });

    it('answers several at once', async () => {
      const all = await Promise.all([1, 2, 3].map(() => answer({ text: under.shortQuestion })));
      for (const chunks of all) expectAnswer(chunks);
    });

    it('goes on after a message of the assistant, and takes a system prompt', async () => {
      const chunks = await answer({
        text: '',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: under.shortQuestion },
          { role: 'assistant', content: 'Hello, my dear' },
        ],
      });
      expectAnswer(chunks);
    });

    it('refuses models that it does not have, in words', async () => {
      const chat = Array.fromAsync(ask({ text: under.shortQuestion, model: 'nobody-has-this' }));
      expect(await code(chat)).toBe('model_not_found');
      const signal = new AbortController().signal;
      const pull = Array.fromAsync(under.engine.pullModel('missing-everywhere', signal));
      expect(await code(pull)).toMatch(/^(model_not_found|model_pull_failed)$/);
      expect(await under.engine.deleteModel('nobody-has-this')).toBe(false);
      expect(await under.engine.deleteModel('../mochi.db')).toBe(false);
    });
  });
}

async function drain(chat: AsyncIterator<unknown>): Promise<void> {
  while (!(await chat.next()).done);
}

function textOf(chunks: readonly EngineChunk[]): string {
  // Some models think whatever they are told, and their thoughts may use up a short answer.
  return chunks.flatMap((chunk) => ('text' in chunk ? chunk.text : [])).join('');
}
