// The answers of servers in this process, as the server sees them: what waits in them, and whether they are over.
import diagnostics from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';

export interface CollectedAnswers {
  /** In the order of their requests. */
  readonly answers: ServerResponse[];
  stop(): void;
}

/** Answers to requests for the stream of a turn, new (POST) or joined (GET), from now on. @param end of their addresses */
export function collectAnswers(method: 'GET' | 'POST', end = '/stream'): CollectedAnswers {
  const answers: ServerResponse[] = [];
  const collect = (message: unknown) => {
    // The shape that node:http documents for this channel.
    const { request, response } = message as {
      request: { method: string; url: string };
      response: ServerResponse;
    };
    if (request.method === method && request.url.endsWith(end)) answers.push(response);
  };
  diagnostics.subscribe('http.server.request.start', collect);
  return { answers, stop: () => void diagnostics.unsubscribe('http.server.request.start', collect) };
}
