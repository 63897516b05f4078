// Sessions that came in a request.
import type { Static } from 'typebox';
import { MochiError } from '../contract/errors.ts';
import type { ImportAnswer } from '../contract/jsonl.ts';
import { splitLines } from '../kit/split-lines.ts';
import { inStretches, type Stretches } from '../kit/stretches.ts';
import type { ImportDeps, StoredImport } from './import-deps.ts';
import { storeRows } from './jsonl/import.ts';
import { noIdsYet } from './jsonl/link-agents.ts';
import { readJsonl } from './jsonl/read.ts';
import { OriginalFormatError, type OriginalSession, readOriginalSession } from './original/format.ts';
import { storeOriginal } from './original/import.ts';
import { jsonHash } from './original/json-hash.ts';

type Answer = Static<typeof ImportAnswer>;

/** One session file of the original. @throws MochiError validation_error */
export async function importJsonBody(deps: ImportDeps, body: unknown): Promise<Answer> {
  const answer: Answer = { imported: [], skipped: [] };
  const session = await readOriginal(body);
  note(answer, session.sessionId, await storeOriginal(deps, session));
  return answer;
}

/** Lines of any number of sessions. @throws MochiError validation_error when no session in them can be read */
export async function importJsonlBody(deps: ImportDeps, body: Buffer): Promise<Answer> {
  const answer: Answer = { imported: [], skipped: [] };
  const damages: string[] = [];
  const ids = noIdsYet();
  for await (const read of readJsonl(splitLines([body]))) {
    if (read.type === 'session') {
      note(answer, read.rows.session.id, await storeRows(deps, read.rows, ids));
    } else {
      damages.push(read.reason);
      answer.skipped.push({ source_id: read.sourceId, reason: read.reason });
    }
  }
  if (answer.imported.length > 0 || answer.skipped.length > damages.length) return answer;
  throw unreadable(damages.length === 0 ? ['holds no session'] : damages);
}

function note(answer: Answer, sourceId: string, stored: StoredImport): void {
  if (stored.type === 'imported') {
    answer.imported.push({ session_id: stored.sessionId, source_id: sourceId });
  } else {
    const reason = `identical content is there as session ${stored.sessionId}`;
    answer.skipped.push({ source_id: sourceId, reason });
  }
}

/** A session without a usable id gets one made of its content, the same each time. */
async function readOriginal(body: unknown): Promise<OriginalSession> {
  try {
    return await inStretches(readOriginalSession(body, idOfContent));
  } catch (error) {
    throw error instanceof OriginalFormatError ? unreadable([error.message]) : error;
  }
}

function* idOfContent(body: object): Stretches<string> {
  return (yield* jsonHash(body)).slice(0, 10);
}

/** How many damages an error names. */
const SHOWN_DAMAGES = 20;

function unreadable(reasons: readonly string[]): MochiError {
  const errors = reasons.slice(0, SHOWN_DAMAGES).map((message) => ({ path: '/body', message }));
  return new MochiError('validation_error', `Nothing was imported: ${reasons[0]}.`, { errors });
}
