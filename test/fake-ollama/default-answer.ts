// The answer when nothing is scripted: the example of the product's documentation.

import type { RequestBody } from './chat-request.ts';
import { type ChatScript, text, thinking } from './chat-script.ts';
import { type FakeModel, hasCapability } from './fake-model.ts';
import { finalFields, script } from './script-modifiers.ts';

const pieces = ['The capital of France is', ' Paris', '.'];
const counts = finalFields({ prompt_eval_count: 31, eval_count: 7 });

/** A thinking model thinks unless it is told not to: an absent `think` means on. */
export function defaultAnswer(model: FakeModel, body: RequestBody): ChatScript {
  const thinks = hasCapability(model, 'thinking') && body.think !== false;
  return script(thinks ? thinking(['The user asks', ' about France.'], pieces) : text(...pieces), counts);
}
