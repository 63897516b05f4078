// The events of a turn as text that only grows.
import { MochiError } from './errors.ts';
import type { TurnEvent } from './turn-event.ts';

/** @throws MochiError what the turn failed with; `text_replaced` when a snapshot tells another beginning: it leaves then */
export async function* textsOf(
  events: AsyncIterable<TurnEvent>,
  leave: () => void,
): AsyncGenerator<string, void> {
  let failure: MochiError | null = null;
  let messageId: string | null = null;
  let said = '';
  for await (const event of events) {
    switch (event.event) {
      case 'status':
        if (event.data.message_id === undefined) break;
        messageId = event.data.message_id;
        said = '';
        break;
      case 'content_delta':
        said += event.data.content;
        yield event.data.content;
        break;
      case 'snapshot': {
        const { message } = event.data;
        if (message === null) break;
        // A message that began in what is gone: all of it is new.
        const known: string = messageId === null || messageId === message.message_id ? said : '';
        if (!message.content.startsWith(known)) {
          leave();
          throw replaced(event.data.turn.turn_id);
        }
        messageId = message.message_id;
        said = message.content;
        if (said.length > known.length) yield said.slice(known.length);
        break;
      }
      case 'error':
        failure = new MochiError(event.data);
        break;
      default:
    }
  }
  if (failure !== null) throw failure;
}

function replaced(turnId: string): MochiError {
  const message = 'The text that was read is not the beginning of the answer any more: read it anew.';
  return new MochiError({ code: 'text_replaced', message, turnId });
}
