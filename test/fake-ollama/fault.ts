// Faults of whole endpoints, scripted or not.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { htmlAnswer, jsonAnswer, sendAnswer } from './http-answer.ts';
import { untilAborted, wait } from './play-script.ts';

/**
 * `mute`: never answers. `refuse`: closes the socket without a byte. `error500`: Ollama's JSON error. `html`: the 502
 * page of a proxy. `drop`: closes the socket in the middle of the body. `endless`, `endless500`: a body that goes on
 * until the client leaves; `drip`: a byte of it now and then. (For a refused connect, use `stop()`.)
 */
export type Fault = 'mute' | 'refuse' | 'error500' | 'html' | 'drop' | 'endless' | 'endless500' | 'drip';

export async function playFault(fault: Fault, stage: FaultStage): Promise<void> {
  switch (fault) {
    case 'mute':
      return untilAborted(stage.signal);
    case 'refuse':
      return stage.drop();
    case 'error500':
      return sendAnswer(stage.response, jsonAnswer(500, { error: 'something went wrong' }));
    case 'html':
      return sendAnswer(stage.response, htmlAnswer());
    case 'drop':
      stage.response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': '500',
      });
      stage.response.write('{"models":[{"name":"lla');
      return stage.drop();
    case 'endless':
      return playEndless(200, stage);
    case 'endless500':
      return playEndless(500, stage);
    case 'drip':
      stage.response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
      for (;;) {
        stage.response.write(' ');
        await wait(20, stage.signal);
      }
    default:
      throw new Error(`unknown fault ${String(fault satisfies never)}`);
  }
}

/** JSON that never closes, as fast as it is read. */
async function playEndless(status: number, { response, signal }: FaultStage): Promise<never> {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.write('{"error":"');
  const block = 'x'.repeat(256 * 1024);
  for (;;) {
    signal.throwIfAborted();
    if (!response.write(block)) await once(response, 'drain', { signal });
  }
}

type FaultStage = {
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
  readonly drop: () => void;
};
