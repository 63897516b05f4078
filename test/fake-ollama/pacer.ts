// Keeps the pace of an answer.
import type { ChatScript } from './chat-script.ts';

/**
 * Returns the waiting time before the next chunk. Chunks are due at fixed moments, so that timer delays do not add
 * up; but a generator that was held up (a client that reads slowly) does not rush afterwards.
 */
export function createPacer(script: ChatScript): () => number {
  const everyMs = script.everyMs ?? 0;
  let dueAt = performance.now() + (script.firstTokenMs ?? 0);
  return () => {
    const now = performance.now();
    const waitMs = dueAt - now;
    const wasHeldUp = waitMs < -everyMs;
    dueAt = (wasHeldUp ? now : dueAt) + everyMs;
    return waitMs;
  };
}
