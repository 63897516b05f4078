// Faults of whole endpoints, scripted or not.
import type { ServerResponse } from 'node:http';
import { htmlAnswer, jsonAnswer, sendAnswer } from './http-answer.ts';
import { untilAborted } from './play-script.ts';

/**
 * `mute`: never answers. `refuse`: closes the socket without a byte. `error500`: Ollama's JSON error. `html`: the 502
 * page of a proxy. `drop`: closes the socket in the middle of the body. (For a refused connect, use `stop()`.)
 */
export type Fault = 'mute' | 'refuse' | 'error500' | 'html' | 'drop';

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
    default:
      throw new Error(`unknown fault ${String(fault satisfies never)}`);
  }
}

type FaultStage = {
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
  readonly drop: () => void;
};
