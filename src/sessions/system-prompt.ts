// The system prompt: one message before the tree, replaced or removed without touching the history.
import { invalidField, MochiError } from '../contract/errors.ts';
import type { SystemPromptAnswer, SystemPromptInput } from '../contract/session.ts';
import { insertMessage } from '../store/insert-messages.ts';
import { deleteMessage, SYSTEM_DEPTH } from '../store/messages.ts';
import { changeIdleSession } from '../store/session-busy.ts';
import { updateSession } from '../store/sessions.ts';
import { readPromptText, type SystemText } from './prompt-text.ts';
import { requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';

/** @throws MochiError session_not_found, prompt_not_found, invalid_filename, invalid_content, validation_error */
export async function setSystemPrompt(
  deps: SessionDeps,
  sessionId: string,
  input: SystemPromptInput,
): Promise<SystemPromptAnswer> {
  await requireSession(deps.db, sessionId);
  // Read before anything is written, and outside the transaction: a file system may take its time.
  const text = await readSystemText(deps, input);
  return changeIdleSession(deps.db, sessionId, async (transaction) => {
    await placeSystemMessage({ ...deps, db: transaction }, sessionId, text);
    await updateSession(transaction, sessionId, { updated_at: deps.now() });
    return { content: text.content, source_file: text.sourceFile, message_index: 0 };
  });
}

/** With a text the file is only its label (API.md §7). */
async function readSystemText(deps: SessionDeps, input: SystemPromptInput): Promise<SystemText> {
  const { content, source_file: sourceFile = null } = input;
  if (content != null) return { content, sourceFile };
  if (sourceFile !== null) return readPromptText(deps.promptFiles, sourceFile);
  throw invalidField('/content', 'must be a text, or source_file must name a file');
}

/** @throws MochiError session_not_found, no_system_prompt */
export async function removeSystemPrompt(deps: SessionDeps, sessionId: string): Promise<void> {
  await changeIdleSession(deps.db, sessionId, async (transaction) => {
    const { systemId } = await requireSession(transaction, sessionId);
    if (systemId === null) {
      throw new MochiError(
        'no_system_prompt',
        `Session ${sessionId} has no system prompt: there is nothing to remove.`,
        {
          session_id: sessionId,
        },
      );
    }
    await deleteMessage(transaction, sessionId, systemId);
    await updateSession(transaction, sessionId, { system_id: null, updated_at: deps.now() });
  });
}

/** Puts the text in the place of the system message, as a new message. Inside the caller's transaction. */
export async function placeSystemMessage(
  { db, newId, now }: Pick<SessionDeps, 'db' | 'newId' | 'now'>,
  sessionId: string,
  { content, sourceFile }: SystemText,
): Promise<void> {
  const { systemId } = await requireSession(db, sessionId);
  if (systemId !== null) await deleteMessage(db, sessionId, systemId);
  const id = newId(10);
  await insertMessage(db, {
    sessionId,
    id,
    parentId: null,
    depth: SYSTEM_DEPTH,
    active: true,
    role: 'system',
    content,
    timestamp: now(),
    status: 'complete',
    sourceFile,
  });
  await updateSession(db, sessionId, { system_id: id });
}
