// One conversation: its rows, the answer that is being written, and where the view stands in it.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatState } from '../../src/client/chat-store.ts';
import { t } from '../lang/text.ts';
import { chat, chatState, isAnswering, sentCount } from '../state/chat.ts';
import { route } from '../state/route.ts';
import { sendSettings } from '../state/send-options.ts';
import { Icon } from '../ui/icon.tsx';
import { AnswerFault, hasOwnRow, turnErrorOf } from './answer-fault.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { EndMark } from './end-mark.tsx';
import { FirstModel } from './first-model.tsx';
import { LiveAnswer } from './live-answer.tsx';
import { OtherBranch } from './other-branch.tsx';
import { OutboxRow } from './outbox-row.tsx';
import { onRowKey } from './row-keys.ts';
import { Rows } from './rows.tsx';
import { isCut, leftOutOf, openCalls } from './shown-rows.ts';
import { useFollow } from './use-follow.ts';
import { type RowWindow, useWindow } from './use-window.ts';

/** Rows that are read before they come into the page. */
const EARLY = 20;

export function Conversation() {
  const state = chatState.value;
  const scroller = useRef<HTMLDivElement>(null);
  const place = state?.session?.session_id ?? null;
  const { isFollowing, follows, stay, toEnd, leave } = useFollow(scroller, place);
  const [isEndSeen, setEndSeen] = useState(true);
  const { value: sent } = sentCount;
  useLayoutEffect(() => {
    if (sent > 0) toEnd();
  }, [sent, toEnd]);
  const shown = useWindow({ scroller, place, total: state?.total ?? 0, isFollowing: follows, stay });
  useReading(state, shown);
  const { jump } = shown;
  const bring = useCallback(
    (index: number) => {
      leave();
      jump(index);
    },
    [leave, jump],
  );
  const lost = useFound(place, bring);
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
  return (
    <div class="scroller" ref={scroller} tabIndex={-1}>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Keys of the row inside that has the focus. */}
      <div class="conversation" role="feed" aria-busy={isAnswering.value} onKeyDown={onRowKey}>
        <Rows state={state} shown={shown} found={route.value.messageId} />
        {state.outbox !== null && <OutboxRow pending={state.outbox} />}
        {isAnswering.value && state.turn !== null && !isStored(state) && (
          <LiveAnswer
            turn={state.turn}
            calls={openCalls(state)}
            goesOn={isCut(state.rows.get(state.total - 1))}
          />
        )}
        {state.turn?.approvals.map((approval) => (
          <ApprovalCard key={approval.confirmation_id} approval={approval} />
        ))}
        <Unanswered state={state} />
      </div>
      <EndMark onSeen={setEndSeen} />
      {lost !== null && <OtherBranch messageId={lost.messageId} onShown={lost.again} />}
      {!isFollowing && !isEndSeen && (
        <button
          type="button"
          class="to-end"
          onClick={toEnd}
          aria-label={isAnswering.value ? t.newerBelow : t.toEnd}
          title={isAnswering.value ? t.newerBelow : t.toEnd}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}

/** The message that is being written is a row already. */
function isStored({ rows, total, turn }: ChatState): boolean {
  for (let index = total - 1; rows.has(index); index -= 1)
    if (rows.get(index)?.message_id === turn?.messageId) return true;
  return false;
}

/** The last message has no answer, or the answer went wrong: how, and what can be done. */
function Unanswered({ state }: { readonly state: ChatState }) {
  const { turn, rows, total, outbox } = state;
  if (isAnswering.value || outbox !== null) return null;
  const isOpen = rows.get(total - 1)?.role === 'user';
  const error = hasOwnRow(state) ? null : turnErrorOf(state);
  if (!isOpen && error === null) return null;
  return (
    <div class="cut">
      {error === null ? (
        <span>{turn?.state === 'cancelled' ? t.cut.cancelled : t.cut.unanswered}</span>
      ) : (
        <AnswerFault error={error} />
      )}
      {isOpen && (
        <button type="button" onClick={() => void chat.value?.regenerate(null, sendSettings())}>
          {t.regenerate}
        </button>
      )}
    </div>
  );
}

/** Rows are read as they come near, in one request after the other. */
function useReading(state: ChatState | null, { from, to }: RowWindow): void {
  const isReading = useRef(false);
  const { rows = null, total = 0, link } = state ?? {};
  // Where the line stands of what was left out depends on the first row.
  const needsFirst = state !== null && total > 0 && leftOutOf(state) > 0 && !state.rows.has(0);
  useEffect(() => {
    const isNear = rows !== null && isMissing(rows, from, to);
    if (isReading.current || !(isNear || needsFirst)) return;
    const [first, last] = isNear ? [Math.max(0, from - EARLY), Math.min(total, to + EARLY)] : [0, 1];
    isReading.current = true;
    void chat.value?.load(first, last).finally(() => {
      isReading.current = false;
    });
    // Tried again where the connection has come back.
  }, [rows, total, from, to, link, needsFirst]);
}

function isMissing(rows: ChatState['rows'], from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if (!rows.has(index)) return true;
  return false;
}

/** Goes to the message that the address names. @returns it where it is on another branch */
function useFound(
  place: string | null,
  jump: (index: number) => void,
): { readonly messageId: string; readonly again: () => void } | null {
  const { messageId } = route.value;
  const [lost, setLost] = useState<string | null>(null);
  const find = useCallback(
    async (wanted: string) => {
      const index = (await chat.value?.locate(wanted)) ?? null;
      if (route.value.messageId !== wanted) return;
      setLost(index === null ? wanted : null);
      if (index !== null) jump(index);
    },
    [jump],
  );
  useEffect(() => {
    setLost(null);
    if (place !== null && messageId !== null) void find(messageId);
  }, [place, messageId, find]);
  return lost === null ? null : { messageId: lost, again: () => void find(lost) };
}
