// Text of a model that is not told before it is known what it is: the answer, calls, or nothing that was asked for.
import type { EngineToolCall } from '../../contract/engine.ts';
import { readForcedCall } from '../prompt/forced-call.ts';
import type { PromptPlan } from '../prompt/plan-prompt.ts';
import type { TurnDeps } from '../turn-deps.ts';
import type { TurnRequest } from '../turn-request.ts';
import { parseStructured } from './structured-output.ts';
import { mayBeCalls, readTextCalls } from './text-calls.ts';

export interface Hold {
  /** Whether thoughts wait with the text. */
  readonly withThoughts: boolean;
  /** Whether the text so far is to wait on. */
  holds(content: string): boolean;
  /** Of an answer that has ended, all held and without calls: tell it, let it go, or make these calls. */
  settle(content: string): 'tell' | 'drop' | readonly EngineToolCall[];
}

/** @returns null where everything is told as it comes */
export function holdOf(
  { newId, rescuesCalls }: Pick<TurnDeps, 'newId' | 'rescuesCalls'>,
  { format }: TurnRequest,
  { tools, forced }: PromptPlan,
): Hold | null {
  if (tools.length === 0) return null;
  if (forced.length > 0) {
    return {
      withThoughts: false,
      holds: () => true,
      settle(content) {
        const call = readForcedCall(forced, content);
        return call === null ? 'drop' : [{ id: `call_${newId(8)}`, ...call }];
      },
    };
  }
  // Engines cannot be asked for both at once.
  if (format !== null) {
    return {
      withThoughts: true,
      holds: () => true,
      settle: (content) => (parseStructured(format, content).failure === null ? 'tell' : 'drop'),
    };
  }
  if (!rescuesCalls) return null;
  const names = new Set(tools.map(({ name }) => name));
  return {
    withThoughts: false,
    holds: mayBeCalls,
    settle: (content) =>
      readTextCalls(content, names)?.map((call) => ({
        id: `call_${newId(8)}`,
        ...call,
        origin: 'text' as const,
      })) ?? 'tell',
  };
}
