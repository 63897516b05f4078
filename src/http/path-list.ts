// The active path of a session as a list of any length.
import { requireSession } from '../sessions/require.ts';
import { listPath, type PathMessage, toContractMessage } from '../store/messages.ts';
import type { LongList } from './long-list.ts';

/** @param from the depth of the first message */
export function pathFrom(sessionId: string, from: number): Omit<LongList<PathMessage>, 'tail'> {
  return {
    head: async (db) => {
      await requireSession(db, sessionId);
      return {};
    },
    key: 'messages',
    slice: (db, after, limit) =>
      listPath(db, sessionId, { from: after === null ? from : after.depth + 1, limit }),
    show: toContractMessage,
  };
}
