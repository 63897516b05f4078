// The script of a chat: rounds of tools until the model rests; what it says then is the answer.
import { MochiError } from '../contract/errors.ts';
import { offerTools } from './offer-tools.ts';
import { freeOffer } from './prompt/forced-call.ts';
import { askAgain } from './step/ask-again.ts';
import { completeAnswer } from './step/complete-answer.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import { bringsResults, toolSettingsOf } from './turn-request.ts';
import type { TurnScript } from './turn-script.ts';

export function createChatScript(deps: TurnDeps, turn: RunningTurn, progress: TurnProgress): TurnScript {
  const { session, request, live } = turn;
  return {
    offer: () => offerTools(deps, { session, request, signal: live.signal }),
    policy: async () => toolSettingsOf(session, request),
    async prepare() {
      if (progress.rounds >= deps.maxSteps) throw loopLimit(deps.maxSteps);
      if (progress.rounds > 0) progress.offer = freeOffer(progress.offer);
    },
    async *rest(usage) {
      const isAfterRound = progress.rounds > 0 || bringsResults(request);
      if (await askAgain(deps, progress, { usage, isAfterRound })) return false;
      yield await completeAnswer(deps, turn, progress, { usage });
      return true;
    },
  };
}

function loopLimit(limit: number): MochiError {
  return new MochiError(
    'tool_loop_limit',
    `The model asked for tools ${limit} times in a row (MOCHI_MAX_TOOL_ITERATIONS). What happened is kept.`,
    { limit },
  );
}
