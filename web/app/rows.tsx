// The rows of a conversation that are in the page, each in its place.
import type { ChatState } from '../../src/client/chat-store.ts';
import type { Message } from '../../src/client/index.ts';
import { isAnswering } from '../state/chat.ts';
import { LeftOutLine } from './left-out-line.tsx';
import { LiveAnswer } from './live-answer.tsx';
import { Row } from './row.tsx';
import { cutOf, goesOn, isResult, openCalls, resultsOf } from './shown-rows.ts';
import type { RowWindow } from './use-window.ts';

interface RowsProps {
  readonly state: ChatState;
  readonly shown: RowWindow;
  /** The message that the address names. */
  readonly found: string | null;
}

export function Rows({ state, shown: { from, to, above, below, guess }, found }: RowsProps) {
  const cut = cutOf(state);
  return (
    <>
      {above > 0 && <div class="space" style={{ height: `${above}px` }} />}
      {Array.from({ length: to - from }, (_, at) => {
        const index = from + at;
        const message = state.rows.get(index);
        if (message === undefined) return <Unread key={`unread ${index}`} index={index} guess={guess} />;
        return (
          <div
            key={message.message_id}
            class={message.message_id === found ? 'place found' : 'place'}
            data-index={index}
            data-last={index === state.total - 1 ? '' : undefined}
          >
            {index === cut?.index && <LeftOutLine count={cut.count} />}
            <Shown state={state} index={index} message={message} />
          </div>
        );
      })}
      {below > 0 && <div class="space" style={{ height: `${below}px` }} />}
    </>
  );
}

interface ShownProps {
  readonly state: ChatState;
  readonly index: number;
  readonly message: Message;
}

/** While it is being written, the turn draws it; results stand with their calls. */
function Shown({ state, index, message }: ShownProps) {
  const { turn, rows, total } = state;
  if (isResult(rows, index)) return null;
  if (isAnswering.value && turn?.messageId === message.message_id)
    return <LiveAnswer turn={turn} calls={openCalls(state)} goesOn={goesOn(rows, index)} />;
  const results = resultsOf(rows, index);
  return (
    <Row
      message={message}
      results={results}
      position={index + 1}
      total={total}
      isLast={index + results.length === total - 1}
      goesOn={goesOn(rows, index)}
      isGoneOn={goesOn(rows, index + 1)}
    />
  );
}

/** It is read as soon as it comes near. */
function Unread({ index, guess }: { readonly index: number; readonly guess: number }) {
  return (
    <div
      class="place unread"
      data-index={index}
      data-unread=""
      style={{ height: `${guess}px` }}
      aria-hidden="true"
    />
  );
}
