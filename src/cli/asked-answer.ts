// What `mochi-server ask` prints of a turn: its text as it comes, its answer in one piece, or its events.
import { MochiError, type TurnEvent } from '../client/index.ts';
import { answerOf } from '../client/turn-answer.ts';
import type { ChatAnswer } from '../client/wire.ts';
import { callLine, cutLine } from './approval-text.ts';
import { outcomeMark } from './outcome-mark.ts';
import { say, sayError, sayExactly, terminalWidth } from './terminal.ts';

/** `whole`: the text, when there is all of it. */
export type AskForm = 'text' | 'whole' | 'json' | 'events';

type Events = AsyncIterable<TurnEvent>;

/** Reads to the end. @throws MochiError what the turn failed with */
export async function printAnswer(
  events: Events,
  form: AskForm,
  again: (turnId: string) => Promise<ChatAnswer>,
): Promise<void> {
  switch (form) {
    case 'events':
      return printEvents(events);
    case 'json':
      return printLine(JSON.stringify(await answerOf(events, again)));
    case 'whole': {
      const { message } = await answerOf(events, again);
      return printLine(message.content);
    }
    default:
      return printText(events);
  }
}

async function printEvents(events: Events): Promise<void> {
  let failure: MochiError | null = null;
  for await (const event of events) {
    printLine(JSON.stringify(event));
    if (event.event === 'error') failure = new MochiError(event.data);
  }
  if (failure !== null) throw failure;
}

function printLine(line: string): void {
  sayExactly(`${line}\n`);
}

async function printText(events: Events): Promise<void> {
  let failure: MochiError | null = null;
  const text = lines(say);
  const thoughts = lines(sayError);
  try {
    for await (const { event, data } of events) {
      if (event === 'content_delta') {
        thoughts.end();
        text.write(data.content);
      } else if (event === 'thinking_delta') thoughts.write(data.content);
      else if (event === 'tool_call') {
        // What is said before a call and after it are not one word.
        text.end();
        thoughts.end();
        sayError(`· ${callLine(data.tool_name, data.arguments, terminalWidth() - 2)}\n`);
      } else if (event === 'tool_result' && !data.success)
        sayError(
          `  ${cutLine(`${outcomeMark(data.error ?? '', false)} ${data.error ?? ''}`, terminalWidth() - 2)}\n`,
        );
      else if (event === 'message_complete' && data.finish_reason === 'length')
        thoughts.write('mochi-server: the answer was cut (finish_reason length)');
      else if (event === 'error') failure = new MochiError(data);
    }
  } finally {
    thoughts.end();
    text.end();
  }
  if (failure !== null) throw failure;
}

/** What is written ends with a line, whether it says so or not. */
function lines(write: (text: string) => void) {
  let isOpen = false;
  return {
    write(text: string) {
      if (text === '') return;
      write(text);
      isOpen = !text.endsWith('\n');
    },
    end() {
      if (isOpen) write('\n');
      isOpen = false;
    },
  };
}
