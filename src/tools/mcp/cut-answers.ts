// Answers over HTTP that end without what was asked for: the SDK would wait for the time limit of the request.
import type { JSONRPCMessage, Transport, TransportSendOptions } from '@modelcontextprotocol/client';

const CUT = 'mochi-server/answer-cut';

/** From now on a request whose answer is cut fails at once; `isCut` knows its error. */
export function watchAnswers<T extends Transport>(transport: T): T {
  const send = transport.send.bind(transport);
  transport.send = (message: JSONRPCMessage, options: TransportSendOptions = {}) => {
    if (!('method' in message && 'id' in message)) return send(message, options);
    const { id } = message;
    const onRequestStreamEnd =
      options.onRequestStreamEnd ??
      // One that was answered is not waited for any more, and this goes nowhere.
      (() => {
        const error = { code: -32_000, message: 'The answer was cut', data: CUT };
        transport.onmessage?.({ jsonrpc: '2.0', id, error });
      });
    return send(message, { ...options, onRequestStreamEnd });
  };
  return transport;
}

export function isCut(error: unknown): boolean {
  return Object(error).data === CUT;
}
