// Hooks for React: a conversation, and the list of them.
import { useSyncExternalStore } from 'react';
import type { ChatState, ChatStore, ChatStoreOptions } from './chat-store.ts';
import type { Mochi } from './index.ts';
import type { SessionList, SessionListOptions, SessionListState } from './react/session-list.ts';
import { sharedChat, sharedSessions } from './react/shared.ts';
import { type ShownMessage, showMessages } from './react/show-messages.ts';

export type { SessionListState } from './react/session-list.ts';
export type { ShownMessage } from './react/show-messages.ts';

export interface UseMochiChat extends Omit<ChatStoreOptions, 'schedule'> {
  readonly mochi: Mochi;
}

export interface MochiChat extends ChatState, Omit<ChatStore, 'getState' | 'subscribe' | 'close' | 'notice'> {
  /** What is to be shown, in order: rows as far as they were read, the answer that is being written, what is being sent. */
  readonly messages: readonly ShownMessage[];
  /** A turn goes on: it can be stopped. */
  readonly isAnswering: boolean;
}

/**
 * A conversation that is shown. Components that show the same one share what was read of it, and so does one that comes
 * back within five seconds; the last one that goes leaves the turn, which goes on.
 */
export function useMochiChat({ mochi, sessionId, ...options }: UseMochiChat): MochiChat {
  const chat = sharedChat(mochi, sessionId, options);
  const state = useSyncExternalStore(chat.subscribe, chat.getState, chat.getEmpty);
  return { ...state, ...showMessages(state), ...chat.actions };
}

export interface UseMochiSessions extends SessionListOptions {
  readonly mochi: Mochi;
}

export interface MochiSessions extends SessionListState, Pick<SessionList, 'loadMore' | 'refresh'> {}

/** The conversations, the newest first; what is changed, by whomever, is shown at once. */
export function useMochiSessions({ mochi, ...options }: UseMochiSessions): MochiSessions {
  const list = sharedSessions(mochi, options);
  const state = useSyncExternalStore(list.subscribe, list.getState, list.getEmpty);
  return { ...state, ...list.actions };
}
