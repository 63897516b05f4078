// The system prompt of the conversation that is shown: one that is not begun has a file for its first message.
import { chat, newPrompt } from './chat.ts';
import { route } from './route.ts';
import { mochi } from './server.ts';

export interface ChatPrompt {
  /** Null: none, or not read yet by a conversation that is not begun. */
  readonly content: string | null;
  /** Where it came from; null: from nowhere that is known. */
  readonly file: string | null;
  readonly isBegun: boolean;
}

export async function readChatPrompt(): Promise<ChatPrompt> {
  const { sessionId } = route.value;
  if (sessionId === null) return { content: null, file: newPrompt.value, isBegun: false };
  const { messages } = await mochi.messages.list(sessionId, { from: 0, limit: 1, images: 'omit' });
  const prompt = messages.find(({ role }) => role === 'system');
  return { content: prompt?.content ?? null, file: prompt?.source_file ?? null, isBegun: true };
}

export async function choosePromptFile(filename: string): Promise<void> {
  const { sessionId } = route.value;
  if (sessionId === null) newPrompt.value = filename;
  else await mochi.sessions.setPrompt(sessionId, { source_file: filename });
  chat.value?.check();
}

/** Of this conversation alone. */
export async function setPromptText(content: string): Promise<void> {
  const { sessionId } = route.value;
  if (sessionId !== null) await mochi.sessions.setPrompt(sessionId, { content });
  chat.value?.check();
}

export async function clearPrompt(): Promise<void> {
  const { sessionId } = route.value;
  if (sessionId === null) newPrompt.value = null;
  else await mochi.sessions.clearPrompt(sessionId);
  chat.value?.check();
}
