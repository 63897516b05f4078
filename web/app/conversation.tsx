// One conversation: its rows, the answer that is being written, and where the view stands in it.
import { Fragment } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatState } from '../../src/client/chat-store.ts';
import type { Message, ToolView } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { chat, chatState, isAnswering, PAGE_SIZE } from '../state/chat.ts';
import { route } from '../state/route.ts';
import { sendSettings } from '../state/send-options.ts';
import { Icon } from '../ui/icon.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { FirstModel } from './first-model.tsx';
import { LeftOutLine } from './left-out-line.tsx';
import { LiveAnswer } from './live-answer.tsx';
import { OutboxRow } from './outbox-row.tsx';
import { Row } from './row.tsx';
import { useFollow } from './use-follow.ts';

/** Of the upper edge, in pixels: older messages are read before it is reached. */
const EARLY = 800;

export function Conversation() {
  const state = chatState.value;
  const scroller = useRef<HTMLDivElement>(null);
  const { isFollowing, toEnd } = useFollow(scroller, state?.session?.session_id ?? null);
  const rows = state === null ? [] : shownRows(state, isAnswering.value);
  useOlder(scroller, rows[0]?.index ?? null);
  useShown(route.value.messageId, rows.length > 0);
  if (
    state === null ||
    (state.session !== null && state.total === 0 && !isAnswering.value && state.outbox === null)
  ) {
    return (
      <div class="scroller" ref={scroller}>
        <FirstModel />
      </div>
    );
  }
  const cut = cutOf(state);
  const isDrawn = rows.some(({ isLive }) => isLive);
  return (
    <div class="scroller" ref={scroller} tabIndex={-1}>
      <div class="conversation" role="feed" aria-busy={isAnswering.value}>
        {rows.map(({ index, message, results, isLive }) => (
          <Fragment key={message.message_id}>
            {index === cut?.index && <LeftOutLine count={cut.count} />}
            {isLive && state.turn !== null ? (
              <LiveAnswer turn={state.turn} calls={openCalls(state)} />
            ) : (
              <Row
                message={message}
                results={results}
                position={index + 1}
                total={state.total}
                isLast={index === state.total - 1}
              />
            )}
          </Fragment>
        ))}
        {state.outbox !== null && <OutboxRow pending={state.outbox} />}
        {isAnswering.value && state.turn !== null && !isDrawn && (
          <LiveAnswer turn={state.turn} calls={openCalls(state)} />
        )}
        {state.turn?.approvals.map((approval) => (
          <ApprovalCard key={approval.confirmation_id} approval={approval} />
        ))}
        <Unanswered state={state} />
      </div>
      {!isFollowing && isAnswering.value && (
        <button type="button" class="to-end" onClick={toEnd} aria-label={t.newerBelow} title={t.newerBelow}>
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

/** The last message has no answer, or the answer went wrong: how, and what can be done. */
function Unanswered({ state: { turn, rows, total, outbox } }: { readonly state: ChatState }) {
  if (isAnswering.value || outbox !== null) return null;
  const isOpen = rows.get(total - 1)?.role === 'user';
  const error = turn?.state === 'cancelled' ? null : (turn?.error ?? null);
  if (!isOpen && error === null) return null;
  return (
    <div class="cut">
      <span dir="auto" role={error === null ? undefined : 'alert'}>
        {error?.message ?? (turn?.state === 'cancelled' ? t.cut.cancelled : t.cut.unanswered)}
      </span>
      {isOpen && (
        <button type="button" onClick={() => void chat.value?.regenerate(null, sendSettings())}>
          {t.regenerate}
        </button>
      )}
    </div>
  );
}

interface ShownRow {
  readonly index: number;
  readonly message: Message;
  /** Of its tool calls, in their order. */
  readonly results: readonly Message[];
  /** It is being written: the turn draws it. */
  readonly isLive: boolean;
}

/** Results stand with their calls. */
function shownRows({ rows, turn }: ChatState, isOn: boolean): ShownRow[] {
  const shown: { index: number; message: Message; results: Message[]; isLive: boolean }[] = [];
  for (const [index, message] of [...rows].sort(([a], [b]) => a - b)) {
    const caller = shown.at(-1);
    if (message.role === 'tool' && caller?.message.tool_calls != null) caller.results.push(message);
    else {
      const isLive = isOn && message.message_id === turn?.messageId;
      shown.push({ index, message, results: [], isLive });
    }
  }
  return shown;
}

/** Calls of the running turn that no row shows yet. */
function openCalls({ rows, turn }: ChatState): readonly ToolView[] {
  if (turn === null) return [];
  const stored = [...rows.values()].filter(
    (row) => row.turn_id === turn.turnId && row.message_id !== turn.messageId,
  );
  return turn.toolCalls.slice(stored.flatMap((row) => row.tool_calls ?? []).length);
}

/** Before which message the newest prompt began, if it left any out. */
function cutOf({
  session,
  turn,
  rows,
}: ChatState): { readonly index: number; readonly count: number } | null {
  const count = (turn?.context ?? session?.context)?.messages_left_out ?? 0;
  if (count === 0) return null;
  return { index: count + (rows.get(0)?.role === 'system' ? 1 : 0), count };
}

/** The message that the address names, in sight. */
function useShown(messageId: string | null, isThere: boolean): void {
  useEffect(() => {
    if (messageId === null || !isThere) return;
    document.getElementById(`m-${messageId}`)?.scrollIntoView({ block: 'center' });
  }, [messageId, isThere]);
}

/** Older messages come as the view nears them, and it stays where it is. */
function useOlder(scroller: { readonly current: HTMLDivElement | null }, first: number | null): void {
  const [isReading, setReading] = useState(false);
  const height = useRef({ first, below: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const { first: before, below } = height.current;
    if (first !== null && before !== null && first < before) element.scrollTop = element.scrollHeight - below;
    height.current = { first, below: element.scrollHeight - element.scrollTop };
  });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const onScroll = () => {
      height.current = { ...height.current, below: element.scrollHeight - element.scrollTop };
      if (isReading || first === null || first === 0 || element.scrollTop > EARLY) return;
      setReading(true);
      void chat.value?.load(Math.max(0, first - PAGE_SIZE), first).finally(() => setReading(false));
    };
    onScroll();
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [scroller, first, isReading]);
}
