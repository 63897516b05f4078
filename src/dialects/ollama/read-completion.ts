// What of `POST /api/generate` is no turn, but a text to be completed as it is.
import type { EngineCompletion } from '../../contract/engine.ts';
import type { GenerateBody } from './chat-body.ts';

/** @returns null for plain words: a turn like any other */
export function readCompletion(body: GenerateBody): EngineCompletion | null {
  const { raw, suffix, template, context, system, images } = body;
  const isCompletion = raw || suffix || template || (context ?? []).length > 0;
  if (!isCompletion) return null;
  return {
    prompt: body.prompt ?? '',
    ...(suffix && { suffix }),
    ...(raw && { raw }),
    ...(system && { system }),
    ...(template && { template }),
    ...(context && context.length > 0 && { context }),
    ...(images && images.length > 0 && { images }),
  };
}
