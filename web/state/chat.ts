// The conversation that is shown: a store of the client for it, as a signal.
import { computed, effect, signal } from '@preact/signals';
import {
  type ChatState,
  type ChatStore,
  createChatStore,
  type Pending,
} from '../../src/client/chat-store.ts';
import type { CreateSession } from '../../src/client/index.ts';
import { keep, recall } from '../lib/kept.ts';
import { becomes, route } from './route.ts';
import { carryOptions } from './send-options.ts';
import { attempt, engineWait, mochi } from './server.ts';
import { refreshSessions } from './sessions.ts';

/** Of the path, read at once. */
const PAGE_SIZE = 100;

/** Null: a conversation that is not begun. */
export const chat = signal<ChatStore | null>(null);
export const chatState = signal<ChatState | null>(null);
/** The model of the conversation that is not begun; null: the server's choice. */
export const newModel = signal<string | null>(null);

/** The file of its system prompt; null: none. */
export const newPrompt = signal<string | null>(null);
/** What its model may use; null: nothing. */
export const newTools = signal<{
  readonly tools: readonly string[];
  readonly agents: readonly string[];
  readonly asks: boolean;
} | null>(null);

const FINAL_STATES = new Set(['completed', 'failed', 'cancelled', 'interrupted']);

/** A turn goes on: the shown one is not the last one's end. */
export const isAnswering = computed(() => {
  const turn = chatState.value?.turn ?? null;
  return turn !== null && !FINAL_STATES.has(turn.state);
});

/** Messages that were sent from this page: each is brought into view. */
export const sentCount = signal(0);

let shown: string | null = null;
let close: () => void = () => undefined;

effect(() => {
  const { sessionId } = route.value;
  if (sessionId !== shown) show(sessionId);
});

function show(sessionId: string | null): void {
  close();
  shown = sessionId;
  if (sessionId === null) {
    close = () => undefined;
    chat.value = null;
    chatState.value = null;
    return;
  }
  const kept = recall<Pending>(outboxName(sessionId));
  const store = createChatStore(mochi, { sessionId, pageSize: PAGE_SIZE, outbox: kept });
  const update = () => {
    const before = chatState.peek();
    const state = store.getState();
    chatState.value = state;
    if (state.outbox !== before?.outbox) keep(outboxName(sessionId), state.outbox);
    if (state.turn !== null) engineWait.value = null;
    if (before !== null && isOtherInList(before, state)) void refreshSessions();
  };
  const unsubscribe = store.subscribe(update);
  close = () => {
    unsubscribe();
    store.close();
  };
  chat.value = store;
  update();
}

/** What the list shows of a conversation. */
function isOtherInList(before: ChatState, { turn, session }: ChatState): boolean {
  return before.turn?.state !== turn?.state || before.session?.title !== session?.title;
}

/** A message that has not reached the server, kept over a reload: under its key it is sent once, however often. */
function outboxName(sessionId: string): string {
  return `outbox.${sessionId}`;
}

export function discardOutbox(): void {
  if (shown === null) return;
  keep(outboxName(shown), null);
  show(shown);
}

let isBeginning = false;

/**
 * The conversation to write in: begun now, where it was not.
 * @param onBegun told of a new one before it is shown
 * @returns null when that failed, or is under way already
 */
export async function begin(onBegun?: (sessionId: string) => void): Promise<ChatStore | null> {
  if (isBeginning) return null;
  if (chat.value !== null) return chat.value;
  isBeginning = true;
  const session = await attempt(() => mochi.sessions.create(firstSettings())).finally(() => {
    isBeginning = false;
  });
  if (session === null) return null;
  newPrompt.value = null;
  newTools.value = null;
  carryOptions(session.session_id);
  onBegun?.(session.session_id);
  // Shown before the address says so: the two are one step.
  show(session.session_id);
  becomes(session.session_id);
  return chat.value;
}

function firstSettings(): CreateSession {
  const given = newTools.value;
  return {
    ...(given !== null && {
      tool_settings: {
        tools: [...given.tools],
        execution_policy: given.asks ? 'always_confirm' : 'never_confirm',
      },
      agent_settings: { enabled_agents: [...given.agents] },
    }),
    ...(newModel.value !== null && { model: newModel.value }),
    ...(newPrompt.value !== null && { system_prompt_source_file: newPrompt.value }),
  };
}
