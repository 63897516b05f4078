// Runs by hand in the journal: they belong to no session.
import { finishExecution, startHandRun } from '../store/tool-executions.ts';
import type { HandJournal } from '../tools/run-by-hand.ts';
import type { AppDeps } from './app-deps.ts';

export function handJournal({ db, bootId, now }: Pick<AppDeps, 'db' | 'bootId' | 'now'>): HandJournal {
  return {
    async begin({ executionId, ...run }) {
      const start = { ...run, id: executionId, bootId, startedAt: now() };
      await db.transaction().execute((transaction) => startHandRun(transaction, start));
    },
    async end(executionId, { state, text, truncated, log }, durationMs) {
      const isSuccess = state === 'succeeded';
      await finishExecution(db, executionId, {
        state,
        finishedAt: now(),
        durationMs,
        error: isSuccess ? null : text,
        truncated,
        resultBytes: Buffer.byteLength(text),
        // No message holds it.
        output: isSuccess ? text : null,
        log,
      });
    },
  };
}
