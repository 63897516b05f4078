// The same answer from three programs: the server, the bare relay, and a pipe of bytes.
import type { StreamCall } from './load-client.ts';
import type { Program } from './processes.ts';

/** A streamed chat on a session of the server. */
export function serverCall(server: Program, sessionId: string, tokens: number): StreamCall {
  return {
    url: `${server.url}/api/v1/chat/${sessionId}/stream`,
    body: { message: QUESTION },
    frames: tokens,
    frameEnd: '\n\n',
    lastMark: '"state":"completed"',
  };
}

/** The same question as the server would put it to the engine. */
export function relayCall(relay: Program, model: string, tokens: number): StreamCall {
  return {
    url: relay.url,
    body: engineRequest(model),
    frames: tokens,
    frameEnd: '\n\n',
    lastMark: '"state":"completed"',
  };
}

export function pipeCall(pipe: Program, model: string, tokens: number): StreamCall {
  return {
    url: pipe.url,
    body: engineRequest(model),
    frames: tokens,
    frameEnd: '\n',
    lastMark: '"done":true',
  };
}

const QUESTION = 'Tell me something.';

function engineRequest(model: string): unknown {
  return {
    model,
    messages: [{ role: 'user', content: QUESTION }],
    stream: true,
    think: false,
    truncate: false,
    options: { num_ctx: 8192 },
  };
}
