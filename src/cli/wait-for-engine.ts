// The waiting minute: the embedded engine and its model are being fetched.
import { setTimeout as delay } from 'node:timers/promises';
import { ExitError } from './command.ts';
import { ServerAnswerError } from './server-client.ts';
import { createProgressView, type Progress } from './show-progress.ts';
import { sayError } from './terminal.ts';

const RETRY_MS = 1000;
/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;

/** Asks again until the engine is there, and shows how far it is. @throws ExitError when the signal ends the wait */
export async function waitForEngine<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const view = createProgressView();
  let isTold = false;
  try {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof ServerAnswerError) || error.details['is_underway'] !== true) throw error;
        if (!isTold) sayError('The embedded engine is being set up; this happens once.\n');
        isTold = true;
        const progress = toProgress(error.details['progress']);
        if (progress !== null) view.show(progress);
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {
        throw new ExitError(INTERRUPTED);
      });
    }
  } finally {
    if (isTold) view.clear();
  }
}

/** What the server tells of the fetching; null before it has begun. */
function toProgress(value: unknown): Progress | null {
  const { status, completed, total } = Object(value);
  if (typeof status !== 'string') return null;
  const bytes = (given: unknown) => (typeof given === 'number' ? given : null);
  return { status, completed: bytes(completed), total: bytes(total) };
}
