// A model that does what the last user message says, so that many turns at once need no queue of scripts.
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, mute, text, tokens, toolCall } from '../fake-ollama/chat-script.ts';
import type { RecordedRequest } from '../fake-ollama/request-log.ts';
import { errorAfter, everyMs, hangAfter, script } from '../fake-ollama/script-modifiers.ts';

/** The text of so many tokens: what `hang`, `pace` and `fail` say until they do. */
export function spoken(count: number): string {
  return Array.from({ length: count }, (_, index) => `t${index} `).join('');
}

/** The user message that a request to the engine answers. */
export function askedOf(request: Pick<RecordedRequest, 'body'>): string {
  return questionOf(request.body?.messages ?? []);
}

/**
 * `mute …` never says a word, `hang 3 …` says three tokens and falls silent, `pace 40 …` says forty in some time,
 * `fail 2 …` breaks after two, `tool hang 3 …` asks for a tool first; everything else is answered at once.
 */
export function behave({ messages = [] }: RequestBody): ChatScript {
  const asked = questionOf(messages);
  if (!asked.startsWith('tool ')) return act(asked);
  return messages.at(-1)?.role === 'tool'
    ? act(asked.slice(5))
    : toolCall('look', { at: 'it' }, { id: 'call_1' });
}

function act(asked: string): ChatScript {
  const [verb, number] = asked.split(' ');
  const count = Number(number);
  switch (verb) {
    case 'mute':
      return mute();
    case 'hang':
      return script(tokens(count), hangAfter(count));
    case 'pace':
      return script(tokens(count), everyMs(4));
    case 'fail':
      return script(tokens(count), errorAfter(count, 'the model broke'), everyMs(4));
    default:
      return text('Fine', '.');
  }
}

function questionOf(messages: NonNullable<RequestBody['messages']>): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}
