// Commands about which conversation it is.
import { isMochiError, type SessionListItem } from '../../client/index.ts';
import { writeAtomically } from '../../kit/atomic-file.ts';
import { agoText } from '../approval-text.ts';
import { resolvePath } from '../resolve-path.ts';
import { say } from '../terminal.ts';
import { askYes, type ChatPlace, pickOne } from './chat-place.ts';

const LISTED = 15;

export async function pickSession(place: ChatPlace, words: string): Promise<void> {
  const { conversation, isTerminal } = place;
  const { mochi } = conversation;
  const search = async (q: string) =>
    (await mochi.sessions.list({ limit: LISTED, ...(q !== '' && { q }) })).sessions;
  const items = await search(words);
  if (!isTerminal) {
    for (const item of items)
      say(`${item.session_id === conversation.sessionId ? '*' : ' '} ${item.session_id}  ${labelOf(item)}\n`);
    return;
  }
  const picked = await pickOne(place, {
    what: 'Session',
    items,
    labelOf,
    isCurrent: ({ session_id: id }) => id === conversation.sessionId,
    search,
  });
  if (picked !== null) await useSession(place, picked.session_id);
}

function labelOf({ title, preview, message_count: count, updated_at: updated }: SessionListItem): string {
  const what = (title ?? preview) || '(nothing said yet)';
  return `${what}  (${agoText(Date.now() - Date.parse(updated))}, ${count} ${count === 1 ? 'message' : 'messages'})`;
}

export async function useSession({ conversation }: ChatPlace, id: string): Promise<void> {
  if (id === '') return say('Say which: /use ID; /sessions lists them.\n');
  await conversation.open(id);
  say(`${conversation.description}.\n`);
  await conversation.resume();
}

export async function newSession({ conversation }: ChatPlace): Promise<void> {
  await conversation.open(null);
  say(`${conversation.description}.\n`);
}

export async function forkSession({ conversation }: ChatPlace): Promise<void> {
  const { session_id: id } = await conversation.mochi.sessions.fork(conversation.sessionId);
  await conversation.open(id);
  say(`${conversation.description}.\n`);
}

/** And what was typed in it. */
export async function deleteSession(place: ChatPlace): Promise<void> {
  const { conversation, history } = place;
  const { mochi, sessionId } = conversation;
  if (!(await askYes(place, 'Delete this conversation for good?'))) return;
  await mochi.sessions.delete(sessionId);
  await history?.forget(mochi.baseUrl, new Set([sessionId]));
  await conversation.open(null);
  say(`It is gone. ${conversation.description}.\n`);
}

/** JSON by default; by the end of the name `.jsonl`, which has every branch, or `.md`. */
export async function exportSession({ conversation }: ChatPlace, file: string): Promise<void> {
  const { mochi, sessionId } = conversation;
  const path = resolvePath(file === '' ? `${sessionId}.json` : file);
  const text = path.endsWith('.md')
    ? await markdownOf(conversation)
    : await (await mochi.sessions.export(sessionId, path.endsWith('.jsonl') ? 'jsonl' : 'json')).text();
  try {
    await writeAtomically(path, 'create', (out) => out.write(text));
    say(`Written to ${path}.\n`);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : null;
    if (code === null) throw error;
    say(
      code === 'EEXIST'
        ? `${path} is there already: name another file.\n`
        : `${path} cannot be written (${code}).\n`,
    );
  }
}

async function markdownOf({ mochi, sessionId }: ChatPlace['conversation']): Promise<string> {
  const { messages } = await mochi.messages.list(sessionId, { images: 'omit' });
  return messages
    .filter(({ role, content }) => (role === 'user' || role === 'assistant') && content !== '')
    .map(({ role, content }) => `## ${role === 'user' ? 'You' : 'Answer'}\n\n${content}\n`)
    .join('\n');
}

/** What was typed in sessions that are deleted meanwhile, by whomever, goes with them. */
export async function forgetDeleted({ conversation: { mochi }, history }: ChatPlace): Promise<void> {
  const known = history?.sessionsOf(mochi.baseUrl) ?? new Set();
  if (history === null || known.size === 0) return;
  try {
    for await (const { sessions } of mochi.sessions.list({ limit: 1000 }).pages()) {
      for (const { session_id: id } of sessions) known.delete(id);
      if (known.size === 0) return;
    }
    await history.forget(mochi.baseUrl, known);
  } catch (error) {
    // The next start looks again.
    if (!isMochiError(error)) throw error;
  }
}
