// How long the answer to a planned prompt may become.
import { type AnswerLimit, limitAnswer } from '../../window/answer-limit.ts';
import { replyReserve, type WindowQuestion } from '../../window/choose-window.ts';
import { type BytesPerToken, mostTokens, type PromptSize } from '../../window/estimate.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { formatTokens, type PlanDeps, type PlannedRequest } from './ask-window.ts';
import type { GatheredHistory } from './gather-history.ts';

/** The whole room that the prompt leaves, by what the engine has counted of it and the most that the rest can take. */
export function answerRoom(
  deps: PlanDeps,
  question: PlannedRequest & { readonly ratio: BytesPerToken | null },
  plan: {
    readonly asked: WindowQuestion;
    readonly window: number | null;
    readonly history: GatheredHistory;
    readonly size: PromptSize;
  },
): AnswerLimit {
  const { asked, window, size } = plan;
  const { counted, plannedTokens } = plan.history;
  const ratio = question.ratio ?? deps.tokenRatios.current(question.session.model);
  const most = counted === null ? mostTokens(size, ratio) : counted.tokens + mostTokens(counted.since, ratio);
  const schema = formatTokens(deps, question);
  return limitAnswer({
    window: grantedWindow(deps, question, { window, asked }),
    plannedTokens: plannedTokens + schema,
    mostTokens: most + schema,
    reserve: replyReserve(asked),
    numPredict: asked.numPredict,
  });
}

/** What the engine gives where a window is asked for; null: not known. */
function grantedWindow(
  { modelWindows }: PlanDeps,
  { model, session }: PlannedRequest,
  { window, asked }: { readonly window: number | null; readonly asked: WindowQuestion },
): number | null {
  if (window === null) return modelWindows.own(weightsOf(model, session.model));
  // A model whose length nobody tells may have been given less.
  const { trainedLength, loadedWindow } = asked;
  return trainedLength === null && loadedWindow !== null ? Math.min(window, loadedWindow) : window;
}
