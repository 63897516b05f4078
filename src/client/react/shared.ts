// One store for all components that show the same thing of the same server.
import { type ChatState, type ChatStoreOptions, createChatStore, EMPTY_CHAT } from '../chat-store.ts';
import type { Mochi } from '../index.ts';
import { hearEvents } from './hear-events.ts';
import { linger } from './lingering.ts';
import { perServer } from './per-server.ts';
import { createSessionList, EMPTY_LIST, type SessionListOptions } from './session-list.ts';

export function sharedChat(mochi: Mochi, sessionId: string, options: Omit<ChatStoreOptions, 'sessionId'>) {
  return perServer(mochi, `chat ${sessionId}`, () => {
    const open = ({ outbox }: ChatState) => {
      const store = createChatStore(mochi, { ...options, sessionId, outbox });
      const end = hearEvents(mochi, store.notice);
      return {
        ...store,
        close() {
          end();
          store.close();
        },
      };
    };
    const chat = linger(open, { ...EMPTY_CHAT, outbox: options.outbox ?? null });
    return { ...chat, actions: actionsOf(chat.use, CHAT_ACTIONS) };
  });
}

const CHAT_ACTIONS = [
  'send',
  'regenerate',
  'goOn',
  'edit',
  'stop',
  'retry',
  'decide',
  'showBranch',
  'load',
  'locate',
  'setModel',
  'check',
] as const;

type Action = (...given: unknown[]) => unknown;

/** The same functions for every render; the store is opened where it was closed. */
function actionsOf<Opened, Name extends keyof Opened & string>(
  use: () => Opened,
  names: readonly Name[],
): Pick<Opened, Name> {
  const action = (name: Name) => [name, (...given: unknown[]) => (use()[name] as Action)(...given)];
  return Object.fromEntries(names.map(action));
}

export function sharedSessions(mochi: Mochi, options: SessionListOptions) {
  const { q = '', pageSize = '' } = options;
  return perServer(mochi, `sessions ${pageSize} ${q}`, () => {
    const list = linger(() => createSessionList(mochi, options), EMPTY_LIST);
    return { ...list, actions: actionsOf(list.use, ['loadMore', 'refresh']) };
  });
}
