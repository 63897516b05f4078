// The session in which an agent works. Everything here that writes does so inside of its caller's transaction.
import type { ValidAgent } from '../agents/agent.ts';
import { INITIAL_WINDOW } from '../sessions/change-window.ts';
import { requireSession } from '../sessions/require.ts';
import { completeAgentSettings, completeToolSettings } from '../sessions/settings.ts';
import { placeSystemMessage } from '../sessions/system-prompt.ts';
import type { Db } from '../store/database.ts';
import { findSystemMessage } from '../store/messages.ts';
import { findSession, insertSession, type StoredSession, updateSession } from '../store/sessions.ts';
import type { TurnDeps } from './turn-deps.ts';

type ChatDeps = Pick<TurnDeps, 'db' | 'newId' | 'now'>;

/** What the system message of its chats is called. */
const SOURCE = 'SKILL.md';

/** A chat of this agent; null: there is none of that id, or it is somebody else's. */
export async function findAgentChat(
  db: Db,
  agentName: string,
  chatId: string,
): Promise<StoredSession | null> {
  const session = await findSession(db, chatId);
  return session?.kind === 'agent' && session.agentName === agentName ? session : null;
}

export interface OpenedChat {
  readonly chatId: string;
  readonly agent: ValidAgent;
  /** Of the run. */
  readonly model: string;
}

/** @param chat `parentSessionId`: of the turn that begins it; null: none does */
export async function createAgentChat(
  deps: ChatDeps,
  { chatId, agent, model, parentSessionId }: OpenedChat & { readonly parentSessionId: string | null },
): Promise<void> {
  const now = deps.now();
  await insertSession(deps.db, {
    id: chatId,
    model,
    createdAt: now,
    updatedAt: now,
    title: null,
    metadata: {},
    toolSettings: completeToolSettings(null),
    agentSettings: completeAgentSettings(null),
    contextWindow: INITIAL_WINDOW,
    summaryModel: null,
    kind: 'agent',
    agentName: agent.name,
    parentSessionId,
  });
  await placeSystemMessage(deps, chatId, { content: agent.skill.systemPrompt, sourceFile: SOURCE });
}

/** As SKILL.md is now, with the model of the run. @throws MochiError session_not_found */
export async function refreshAgentChat(deps: ChatDeps, { chatId, agent, model }: OpenedChat): Promise<void> {
  const { db } = deps;
  const chat = await requireSession(db, chatId);
  const content = agent.skill.systemPrompt;
  const system = chat.systemId === null ? null : await findSystemMessage(db, chatId);
  // The same text keeps its message: the engine goes on from what it has read.
  if (system?.content !== content) await placeSystemMessage(deps, chatId, { content, sourceFile: SOURCE });
  if (chat.model !== model) await updateSession(db, chatId, { model });
}
