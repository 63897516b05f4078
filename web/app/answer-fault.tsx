// Why an answer went wrong: first in words for whoever reads it, then in those of whoever it failed at.
import type { ChatState } from '../../src/client/chat-store.ts';
import { t } from '../lang/text.ts';
import { chatState, isAnswering } from '../state/chat.ts';
import { Icon } from '../ui/icon.tsx';

type TurnError = NonNullable<NonNullable<ChatState['turn']>['error']>;

/** Of the last turn; null: it has not failed. */
export function turnErrorOf({ turn }: ChatState): TurnError | null {
  return turn === null || isAnswering.value || turn.state === 'cancelled' ? null : turn.error;
}

/** Whether an answer of it is there, which tells the fault itself. */
export function hasOwnRow({ turn, rows, total }: ChatState): boolean {
  const last = rows.get(total - 1);
  return (last?.role === 'assistant' || last?.role === 'tool') && last.turn_id === turn?.turnId;
}

/** In the last answer: what is wrong with it. */
export function FaultOfAnswer({ turnId }: { readonly turnId: string | null }) {
  const state = chatState.value;
  const error = state === null || state.turn?.turnId !== turnId ? null : turnErrorOf(state);
  return error === null ? null : <AnswerFault error={error} />;
}

export function AnswerFault({ error: { code, message } }: { readonly error: TurnError }) {
  return (
    <div class="answer-fault" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{t.faults[code] ?? t.faultOther}</strong>
        <span dir="auto">{message}</span>
      </p>
    </div>
  );
}
