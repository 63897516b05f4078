// Notes what was sent: the next prompt is compared with it, and planned on top of it.
import type { PathPlace } from '../../store/path-place.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';
import type { WindowLimits } from '../../window/choose-window.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { type PlannedRequest, systemMark } from './ask-window.ts';
import { thinkOf } from './build-prompt.ts';
import type { GatheredHistory } from './gather-history.ts';
import { toolsDigest } from './offered-tools.ts';

/** Options that make an engine load the model anew (Ollama: server/sched.go `needsReload`), or write another prompt. */
const RELOADING_OPTIONS = [
  'num_batch',
  'num_gpu',
  'main_gpu',
  'use_mmap',
  'num_thread',
  'draft_num_predict',
] as const;

/** Of a plan that is about to be sent. */
export function toMark(
  question: PlannedRequest & { readonly tip: PathPlace },
  plan: {
    readonly limits: WindowLimits;
    readonly history: GatheredHistory;
    readonly summary: string | null;
    readonly window: number | null;
    readonly sent: number;
  },
): PromptMark {
  const { session, model, request, tip } = question;
  const { history, summary } = plan;
  const [first] = history.messages;
  const { options } = request;
  const reloading = RELOADING_OPTIONS.map((name) => options[name] ?? null);
  return {
    model: session.model,
    weights: weightsOf(model, session.model),
    digest: model?.digest ?? null,
    window: plan.window,
    budget: plan.limits.budget,
    options: JSON.stringify([thinkOf(model, request.think), ...reloading]),
    systemId: systemMark(question),
    tools: toolsDigest(question),
    summary,
    startId: first?.message_id ?? null,
    start: first?.depth ?? 0,
    tip: { id: tip.id, depth: tip.depth },
    sent: plan.sent,
    answerId: null,
    usedTokens: null,
  };
}
