// A conversation as state: what a page or a terminal shows of it, and what its user can do.
import type { Mochi } from './index.ts';
import type { ServerEvent } from './resources/events.ts';
import { askForTurns, type SendSettings } from './store/ask-for-turns.ts';
import { type ChatState, holdChat, type Pending, type Schedule } from './store/chat-state.ts';
import { followTurns } from './store/follow-turns.ts';
import { joinTurns } from './store/join-turns.ts';
import { noticeChanges } from './store/notice-changes.ts';
import { readConversation } from './store/read-conversation.ts';
import { watchPage } from './store/watch-page.ts';
import type { DecideInput } from './wire.ts';

export type { SendSettings } from './store/ask-for-turns.ts';
export type { ChatState, Pending, Schedule } from './store/chat-state.ts';

export interface ChatStoreOptions {
  readonly sessionId: string;
  /** Messages that are read at first, the newest; default: 100. */
  readonly pageSize?: number;
  /** A request that an earlier store did not see begin: waited for if the server has it, else failed, and sent by `retry`. */
  readonly outbox?: Pending | null;
  /** A page that nobody looks at holds no stream after `afterMs`, and asks every `everyMs` how its turn goes on; default: 10 s each. */
  readonly hidden?: { readonly afterMs: number; readonly everyMs: number };
  /** Runs what tells the listeners; default: with the next frame. */
  readonly schedule?: Schedule;
}

/** No method throws for what goes wrong on the way: that is the state's `problem`. Each resolves when its turn has ended. */
export interface ChatStore {
  /** The state of the moment, immutable. */
  getState(): ChatState;
  /** Told once a frame. @returns what ends it */
  subscribe(listener: () => void): () => void;
  send(message: string, settings?: SendSettings): Promise<void>;
  /** Answers anew, beside the old answer; default: the last one. */
  regenerate(messageId?: string | null, settings?: SendSettings): Promise<void>;
  /** Goes on after the last message. */
  goOn(settings?: SendSettings): Promise<void>;
  /** Another text beside a message of the user, and an answer to it. */
  edit(messageId: string, message: string, settings?: SendSettings): Promise<void>;
  /** The model stops, and the part is kept. */
  stop(): Promise<void>;
  /** What is in the outbox once more, under its key; else the last turn anew if it failed; else what can be read. */
  retry(): Promise<void>;
  /** Answers what the turn waits for; the first answer counts, whoever gave it. */
  decide(confirmationId: string, decision: DecideInput): Promise<void>;
  /** Shows the branch that a message is on, to its newest end. */
  showBranch(messageId: string): Promise<void>;
  /** Reads rows between two positions, as far as they are missing. */
  load(from: number, to: number): Promise<void>;
  /** Reads the rows around a message. @returns its position; null: it is not on the path */
  locate(messageId: string): Promise<number | null>;
  setModel(name: string): Promise<void>;
  /** Looks at once whether the connection still lives: after a sleep, say. Pages do it by themselves. */
  check(): void;
  /** To be told what `mochi.events` tells: what was changed elsewhere is read anew. */
  notice(event: ServerEvent): void;
  /** Watches no more; the turn goes on. */
  close(): void;
}

/** Nothing was read yet. */
export const EMPTY_CHAT: ChatState = {
  session: null,
  total: 0,
  rows: new Map(),
  turn: null,
  outbox: null,
  link: 'live',
  problem: null,
};

const PAGE_SIZE = 100;
const HIDDEN = { afterMs: 10_000, everyMs: 10_000 };

/** Reads the conversation at once, and joins its turn if one goes on. */
export function createChatStore(mochi: Mochi, options: ChatStoreOptions): ChatStore {
  const { sessionId, pageSize = PAGE_SIZE, outbox = null, hidden = HIDDEN, schedule } = options;
  const isAccepted = outbox?.turnId !== undefined;
  const kept = outbox && { ...outbox, state: isAccepted ? ('sending' as const) : ('failed' as const) };
  const holder = holdChat({ ...EMPTY_CHAT, outbox: kept }, schedule);
  const reader = readConversation(mochi, sessionId, holder, pageSize);
  const turns = followTurns(holder, reader);
  const deps = { mochi, sessionId, holder, reader, turns };
  const joiner = joinTurns(deps);
  const asker = askForTurns(deps, () => joiner.join());

  async function open(): Promise<void> {
    if (!(await reader.attempt(() => reader.reload()))) return;
    const { outbox: pending, session } = holder.get();
    const { turnId } = pending ?? {};
    const isOwn = turnId !== undefined && turns.newest === null;
    // After the one that goes on, if that is another.
    const joined = isOwn && session?.active_turn === turnId ? null : joiner.joinAgain();
    const waited = isOwn && pending !== null ? asker.waitFor(pending, turnId) : null;
    await Promise.all([joined, waited]);
  }
  const check = () => {
    const isFollowing = turns.current !== null;
    turns.renew();
    if (!isFollowing) void open();
  };
  const unwatch = watchPage({ onWake: check, onHidden: () => turns.rest(hidden.everyMs) }, hidden.afterMs);
  const unwait = holder.subscribe(asker.sendWaiting);
  void open();

  const { send, regenerate, goOn, edit } = asker;
  return {
    getState: holder.get,
    subscribe: holder.subscribe,
    send,
    regenerate,
    goOn,
    edit,
    async stop() {
      await reader.attempt(async () => turns.current?.cancel({ wait: true }));
    },
    async retry() {
      const { outbox, turn } = holder.get();
      if (outbox?.state === 'failed') await asker.again(outbox);
      else if (turn !== null && turns.current === null && turn.state !== 'completed')
        await asker.regenerate();
      else await open();
    },
    async decide(confirmationId, decision) {
      await reader.attempt(() => mochi.approvals.decide(confirmationId, decision));
    },
    async showBranch(messageId) {
      await reader.attempt(async () => {
        const head = { message_id: messageId, descend: true };
        await reader.change(() => mochi.sessions.setHead(sessionId, head));
        await reader.rereadLoaded();
      });
    },
    async load(from, to) {
      await reader.attempt(() => reader.load(from, to));
    },
    async locate(messageId) {
      let found: number | null = null;
      await reader.attempt(async () => {
        found = await reader.locate(messageId);
      });
      return found;
    },
    async setModel(name) {
      const update = () => mochi.sessions.update(sessionId, { model: name });
      await reader.attempt(() => reader.change(update).then(() => reader.status()));
    },
    check,
    notice: noticeChanges(deps, joiner),
    close() {
      joiner.close();
      unwatch();
      unwait();
      turns.leave();
    },
  };
}
