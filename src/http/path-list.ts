// The active path of a session as a list of any length.
import { MochiError } from '../contract/errors.ts';
import { requireMessage, requireSession } from '../sessions/require.ts';
import { withClientCalls } from '../store/client-calls.ts';
import { listPath, type PathMessage, toContractMessage } from '../store/messages.ts';
import type { AppDeps } from './app-deps.ts';
import type { LongList } from './long-list.ts';

type Db = AppDeps['db'];

/** Where on the path a list begins. */
export interface PathStart {
  /** A position from 0, the system message included; a negative one counts from the end. */
  readonly from?: number | undefined;
  /** The depth of the message before it, in the place of a position. */
  readonly after?: number | undefined;
  /** A message in the middle of the list, in the place of a position. */
  readonly around?: Around | undefined;
  /** Images are counted, and not brought along. */
  readonly omitsImages?: true;
}

interface Around {
  readonly messageId: string;
  /** Messages that are listed before it. */
  readonly before: number;
}

interface PathStretch {
  /** The position of its first message: the number of all where nothing is left. */
  readonly from: number;
  readonly total: number;
  /** The depth of its first message. */
  readonly depth: number;
}

/** @throws MochiError session_not_found, message_not_found */
async function findStretch(db: Db, sessionId: string, start: PathStart): Promise<PathStretch> {
  const { from = 0, after, around } = start;
  const { message_count: total, systemId } = await requireSession(db, sessionId);
  const systemMessages = systemId === null ? 0 : 1;
  const depth = around === undefined ? after : (await depthBefore(db, sessionId, around)) - 1;
  const wanted = depth === undefined ? from : depth + 1 + systemMessages;
  const fromEnd = wanted < 0 && depth === undefined;
  const position = Math.max(0, fromEnd ? total + wanted : Math.min(wanted, total));
  return { from: position, total, depth: position - systemMessages };
}

/** @throws MochiError message_not_found also for one on another branch */
async function depthBefore(db: Db, sessionId: string, { messageId, before }: Around): Promise<number> {
  const { depth, active } = await requireMessage(db, sessionId, messageId);
  if (!active) {
    throw new MochiError(
      'message_not_found',
      'The message is on another branch: PUT /head with it shows that one.',
      { message_id: messageId, on_other_branch: true },
    );
  }
  return depth - before;
}

export function pathFrom(sessionId: string, start: PathStart = {}): Omit<LongList<PathMessage>, 'tail'> {
  const { omitsImages } = start;
  return {
    head: async (db) => {
      const { from, total } = await findStretch(db, sessionId, start);
      return { from, total };
    },
    key: 'messages',
    slice: async (db, last, limit) => {
      const from = last === null ? (await findStretch(db, sessionId, start)).depth : last.depth + 1;
      return readPath(db, sessionId, { from, limit, ...(omitsImages && { omitsImages }) });
    },
    show: toContractMessage,
  };
}

async function readPath(
  db: Db,
  sessionId: string,
  range: Parameters<typeof listPath>[2],
): Promise<PathMessage[]> {
  return withClientCalls(db, sessionId, await listPath(db, sessionId, range));
}

interface PathPage extends Pick<PathStretch, 'from' | 'total'> {
  readonly messages: readonly PathMessage[];
}

/** A page of the path as it is at one moment. @throws MochiError session_not_found */
export async function readPage(
  { db }: Pick<AppDeps, 'db'>,
  sessionId: string,
  { limit, ...start }: PathStart & { readonly limit: number },
): Promise<PathPage> {
  const { omitsImages } = start;
  // One connection: nothing is written between the reads.
  return db.connection().execute(async (connection) => {
    const { from, total, depth } = await findStretch(connection, sessionId, start);
    const range = { from: depth, limit, ...(omitsImages && { omitsImages }) };
    return { from, total, messages: await readPath(connection, sessionId, range) };
  });
}
