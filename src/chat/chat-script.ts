// The script of a chat: rounds of tools until the model rests; what it says then is the answer.
import type { EngineUsage } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import type { Offer } from '../tools/offer.ts';
import type { SessionPolicy } from '../tools/policy/decide-call.ts';
import { offerTools } from './offer-tools.ts';
import { freeOffer } from './prompt/forced-call.ts';
import { askAgain } from './step/ask-again.ts';
import { completeAnswer } from './step/complete-answer.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import type { TurnDeps } from './turn-deps.ts';
import { bringsResults, toolSettingsOf } from './turn-request.ts';
import type { TurnScript } from './turn-script.ts';

export function createChatScript(deps: TurnDeps, turn: RunningTurn, progress: TurnProgress): TurnScript {
  return new ChatScript(deps, turn, progress);
}

class ChatScript implements TurnScript {
  readonly #deps: TurnDeps;
  readonly #turn: RunningTurn;
  readonly #progress: TurnProgress;

  constructor(deps: TurnDeps, turn: RunningTurn, progress: TurnProgress) {
    this.#deps = deps;
    this.#turn = turn;
    this.#progress = progress;
  }

  offer(): Promise<Offer> {
    const { session, request, live } = this.#turn;
    return offerTools(this.#deps, { session, request, signal: live.signal });
  }

  async policy(): Promise<SessionPolicy> {
    return toolSettingsOf(this.#turn.session, this.#turn.request);
  }

  async prepare(): Promise<void> {
    const progress = this.#progress;
    const { maxSteps } = this.#deps;
    if (progress.rounds >= maxSteps) throw loopLimit(maxSteps);
    if (progress.rounds > 0) progress.offer = freeOffer(progress.offer);
  }

  async *rest(usage: EngineUsage): AsyncGenerator<readonly TurnEvent[], boolean> {
    const progress = this.#progress;
    const isAfterRound = progress.rounds > 0 || bringsResults(this.#turn.request);
    if (await askAgain(this.#deps, progress, { usage, isAfterRound })) return false;
    yield await completeAnswer(this.#deps, this.#turn, progress, { usage });
    return true;
  }
}

function loopLimit(limit: number): MochiError {
  return new MochiError(
    'tool_loop_limit',
    `The model asked for tools ${limit} times in a row (MOCHI_MAX_TOOL_ITERATIONS). What happened is kept.`,
    { limit },
  );
}
