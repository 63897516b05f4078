// Chat: a message, and its answer whole or as it comes.
import { type Api, type CallOptions, segment } from '../api.ts';
import type { ChatPreview, ChatRequest, Turn as TurnRecord } from '../wire.ts';
import { askTurn, type SendOptions, type StreamOptions } from './ask-turn.ts';

/** The connection decides nothing: whoever wants the turn to stop says so. */
export type ChatBody = Omit<ChatRequest, 'on_disconnect'>;

export function chat(api: Api) {
  const { json } = api;
  const ask = askTurn(api);
  const at = (id: string, rest = '') => `/chat/${segment(id)}${rest}`;
  return {
    /** Waits for the answer; the signal ends the waiting, and the turn goes on. @throws MochiError what it failed with */
    send: (id: string, body: ChatBody, options?: SendOptions) => ask.whole(at(id), body, options),
    /** Begins at once; the turn has one reader. */
    stream: (id: string, body: ChatBody, options?: StreamOptions) =>
      ask.stream(at(id, '/stream'), body, options),
    /** The exact request to the engine; nothing is sent, and nothing stored. */
    preview: (id: string, body: ChatBody, options?: CallOptions) =>
      json<ChatPreview>({ method: 'POST', path: at(id, '/preview'), body, repeated: 'safe', ...options }),
    /** The turn that holds the session, whoever asked for it. */
    cancel: (id: string, { wait }: { readonly wait?: boolean } = {}) =>
      json<TurnRecord>({ method: 'POST', path: at(id, '/cancel'), query: { wait } }),
  };
}
