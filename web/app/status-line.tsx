// What is going on, in one line: said aloud only when it changes its kind, never token by token.
import type { ChatState } from '../../src/client/chat-store.ts';
import { t } from '../lang/text.ts';
import { countWords } from '../lib/count-words.ts';
import { keepsNothing } from '../lib/kept.ts';
import { chatState, isAnswering } from '../state/chat.ts';
import { isGone } from '../state/gone.ts';
import { serverLink } from '../state/live.ts';
import { engineWait } from '../state/server.ts';

export function StatusLine() {
  const state = chatState.value;
  // What is heard of the server, where nothing is asked of it.
  const link = state === null || state.link === 'live' ? serverLink.value : state.link;
  const text = link === 'live' ? (state === null ? '' : textOf(state)) : t.link[link];
  const problem = state?.problem ?? null;
  // Said already, in other words.
  const isSaid = isGone.value || (problem?.code === 'unreachable' && link !== 'live');
  return (
    <div class="status">
      <p role="status" dir="auto">
        {engineWait.value === null ? text : t.first.underway}
        <span class="off-screen">{state === null ? '' : endOf(state)}</span>
      </p>
      {problem !== null && !isSaid && (
        <p role="alert" dir="auto">
          {problem.message}
        </p>
      )}
      {keepsNothing.value && <p role="alert">{t.problem.storage}</p>}
    </div>
  );
}

/** For those who hear it: seen, it is there already. */
function endOf({ turn }: ChatState): string {
  return turn?.state === 'completed' && turn.message !== null
    ? t.status.complete(countWords(turn.message.content))
    : '';
}

function textOf({ turn, session }: ChatState): string {
  if (turn === null || !isAnswering.value) return '';
  const { phase, position, estimateMs, model } = turn;
  const about = estimateMs === null || estimateMs < 1000 ? '' : t.status.about(Math.round(estimateMs / 1000));
  switch (phase) {
    case 'queued':
      return t.status.queued(position);
    case 'loading_model':
      return t.status.loading_model(model ?? session?.model ?? '', about);
    case 'evaluating_prompt':
      return t.status.evaluating_prompt(about);
    case 'waiting_for_engine':
    case 'engine_stalled':
    case 'generating':
    case 'running_tool':
    case 'waiting_for_approval':
      return t.status[phase];
    default:
      return t.status.answering;
  }
}
