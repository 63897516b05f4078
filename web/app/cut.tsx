// How an answer ended that is not whole, and how it goes on.
import { useEffect, useState } from 'preact/hooks';
import { isMochiError, type Message, type TurnView } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { chat, chatState } from '../state/chat.ts';
import { sendSettings } from '../state/send-options.ts';
import { attempt, mochi } from '../state/server.ts';

export function Cut({ message, isLast }: { readonly message: Message; readonly isLast: boolean }) {
  const isPartial = message.status === 'partial';
  const state = useTurnState(isPartial ? message.turn_id : null);
  if (!isPartial && message.finish_reason !== 'length') return null;
  return (
    <p class="cut">
      <span class="chip">{isPartial ? reasonOf(state) : t.cut.length}</span>
      {isLast && (
        <button type="button" onClick={() => void attempt(async () => chat.value?.goOn(sendSettings()))}>
          {t.goOn}
        </button>
      )}
    </p>
  );
}

type State = TurnView['state'] | null;

function reasonOf(state: State): string {
  return state === 'cancelled' || state === 'failed' || state === 'interrupted'
    ? t.cut[state]
    : t.cut.partial;
}

/** As it was seen, else as the server has it. */
function useTurnState(turnId: string | null): State {
  const [read, setRead] = useState<State>(null);
  const turn = chatState.value?.turn ?? null;
  const seen = turn !== null && turn.turnId === turnId ? turn.state : null;
  const isUnknown = turnId !== null && seen === null;
  useEffect(() => {
    if (!isUnknown) return;
    mochi.turns.get(turnId).then(
      ({ state }) => setRead(state),
      (error: unknown) => {
        // It says less then.
        if (!isMochiError(error)) throw error;
      },
    );
  }, [isUnknown, turnId]);
  return seen ?? read;
}
