// Plays a script on an HTTP response: the streaming answer of /api/chat.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChatScript } from './chat-script.ts';
import { sendAnswer } from './http-answer.ts';
import { createLineWriter } from './line-writer.ts';
import { createPacer } from './pacer.ts';
import { cachedLine, createLineRenderer, isLineStep, type LineContext } from './render-line.ts';

/** Where and for whom a script is played. */
export type Stage = LineContext & {
  readonly response: ServerResponse;
  /** Aborted when the client has gone or the fake closes. */
  readonly signal: AbortSignal;
  /** Closes the client's socket after what was written. */
  readonly drop: () => void;
};

/** Ends when the answer is complete or broken off as scripted; rejects when the client goes away. */
export async function playScript(script: ChatScript, stage: Stage): Promise<void> {
  const { response, signal } = stage;
  const waitForTurn = createPacer(script);
  if (script.answer) {
    await wait(waitForTurn(), signal);
    for (const step of script.steps)
      if (step.type === 'gate') await Promise.race([step.opens, untilAborted(signal)]);
    sendAnswer(response, script.answer);
    return;
  }
  // Node sends the headers with the first write, like Ollama: until then, a client sees nothing at all.
  response.setHeader('content-type', 'application/x-ndjson');
  const writer = createLineWriter(response, script.split ?? 'whole', signal);
  const renderer = createLineRenderer(script, stage);
  const lastLine = script.steps.findLastIndex(isLineStep);

  for (const [position, step] of script.steps.entries()) {
    if (isLineStep(step)) {
      const waitMs = step.type === 'line' && step.text === '' ? 0 : waitForTurn();
      if (waitMs > 0) await wait(waitMs, signal);
      let line = script.cached
        ? cachedLine(step, stage.model, () => renderer.line(step))
        : renderer.line(step);
      if (position === lastLine && script.finalNewline === false) line = line.subarray(0, -1);
      const written = writer.write(line);
      if (written) await written;
      signal.throwIfAborted();
      continue;
    }
    writer.flush();
    if (step.type === 'pause') await wait(step.ms, signal);
    else if (step.type === 'gate') await Promise.race([step.opens, untilAborted(signal)]);
    else if (step.type === 'hang') await untilAborted(signal);
    else return stage.drop();
  }
  writer.flush();
  response.end();
}

/** Waits until the client (or the fake) gives up. */
export async function untilAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await delay(ms, undefined, { signal });
}
