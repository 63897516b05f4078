// What is known of the models at a start, and who writes about conversations while nobody waits.
import type { SharedSlots } from '../chat/line/shared-slots.ts';
import type { PlanDeps } from '../chat/prompt/ask-window.ts';
import { readConversation } from '../chat/prompt/read-conversation.ts';
import { recallWindows } from '../chat/prompt/recall-windows.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../contract/engine.ts';
import type { Log } from '../kit/log.ts';
import type { Db } from '../store/database.ts';
import { listRecentAnswers } from '../store/recent-answers.ts';
import { listTokenRatios } from '../store/token-ratios.ts';
import { BackgroundJobs } from '../summaries/background-jobs.ts';
import { createAnswerLengths } from '../window/answer-lengths.ts';
import { createLoadFailures } from '../window/load-failures.ts';
import { createModelWindows } from '../window/model-windows.ts';
import { createTokenRatios } from '../window/token-ratios.ts';
import { shareWindows } from './share-windows.ts';

/** What plans are made with: what is known of the models, from what was stored and sent before. */
export async function recallModels(
  db: Db,
  engine: Engine,
  { config, log }: { readonly config: Config; readonly log: Log },
) {
  const now = () => performance.now();
  const modelWindows = shareWindows(createModelWindows(now), { db, log, ...config });
  await recallWindows(db, modelWindows);
  return {
    db,
    engine,
    answerLengths: createAnswerLengths(await listRecentAnswers(db)),
    loadFailures: createLoadFailures(now, () => engine.departures?.() ?? 0),
    modelWindows,
    tokenRatios: createTokenRatios(await listTokenRatios(db)),
    windowPolicy: windowPolicyOf(config),
  };
}

function windowPolicyOf(config: Config) {
  return {
    dynamicEnabled: config.dynamicContextWindowEnabled,
    firstWindow: config.firstContextWindow,
    maxWindow: config.maxContextWindow,
  };
}

export function createBackground(
  planning: PlanDeps & { readonly engine: Engine; readonly engineSlots: SharedSlots | null },
  config: Config,
  log: Log,
): BackgroundJobs {
  const { db, engine, engineSlots } = planning;
  return new BackgroundJobs(
    {
      db,
      engine,
      log,
      isBackground: true,
      takeSlot: async ({ weights, parallel }, options) =>
        engineSlots === null || parallel !== undefined ? null : engineSlots.takeSpare(weights, options),
      readConversation: (question) => readConversation(planning, question),
    },
    {
      summaries: config.summarizationEnabled,
      titles: config.titlesEnabled,
      minBillions: config.summaryMinBillions,
    },
  );
}
