// After a restart: the engine still holds what it was used with a moment ago, and a smaller window would make it load anew.
import { timestampBefore } from '../../kit/clock.ts';
import type { Db } from '../../store/database.ts';
import { listPromptMarks } from '../../store/list-prompt-marks.ts';
import { KEEP_ALIVE_MS, type ModelWindows } from '../../window/model-windows.ts';

/** Asks nobody: what was sent last is in the rows of the sessions. */
export async function recallWindows(db: Db, modelWindows: ModelWindows): Promise<void> {
  const since = timestampBefore(KEEP_ALIVE_MS);
  for (const { model, weights = model, window } of await listPromptMarks(db, since)) {
    if (window === null) continue;
    modelWindows.noteUse(weights, window);
    modelWindows.raise(weights, window);
  }
}
