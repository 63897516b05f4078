// The script of a run that cannot go on, since its agent is not there any more: it ends as any run that fails, with what
// was done.
import type { MochiError } from '../contract/errors.ts';
import { type EndingRun, failRun } from './end-run.ts';
import type { RunningTurn, TurnProgress } from './step/turn-progress.ts';
import { wordForRun } from './stop-reasons.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnScript } from './turn-script.ts';

/** @param why it fails, before anything else of it is done @param round in which it was left */
export function createLostScript(run: EndingRun, why: MochiError, round: number) {
  const refuse = () => Promise.reject(why);
  return (deps: TurnDeps, turn: RunningTurn, progress: TurnProgress): TurnScript => ({
    offer: refuse,
    policy: refuse,
    prepare: refuse,
    rest() {
      throw why;
    },
    word: wordForRun,
    fail: (failure) => failRun({ deps, turn, progress, run }, failure, round),
  });
}
