// One model call of a turn: planned, sent, streamed into a draft.
import type { EngineChatRequest, EngineMessage, EngineUsage } from '../../contract/engine.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { unlessAborted } from '../../kit/unless-aborted.ts';
import { instantAfter } from '../../store/active-path.ts';
import type { StoredSession } from '../../store/sessions.ts';
import { weightsOf } from '../../window/model-windows.ts';
import { readableBy, thinkOf } from '../prompt/build-prompt.ts';
import { forcedFormat } from '../prompt/forced-call.ts';
import { planGiven } from '../prompt/given-prompt.ts';
import { learnWindows } from '../prompt/learn-windows.ts';
import { isLoad } from '../prompt/model-rates.ts';
import { toEngineTools } from '../prompt/offered-tools.ts';
import { type PromptPlan, planPrompt } from '../prompt/plan-prompt.ts';
import { Draft, NO_CHECKPOINTS } from './draft.ts';
import { adviseOnLoad, fallBack } from './fall-back.ts';
import { followWait, waitingPhase } from './follow-wait.ts';
import { holdOf } from './held-answer.ts';
import { mendCall } from './mend-call.ts';
import { modelStep } from './model-step.ts';
import { noteFailure } from './note-failure.ts';
import { noteModel } from './note-model.ts';
import { isSamePrompt, type Refusal, readRefusal } from './read-refusal.ts';
import type { StepDeps } from './step-deps.ts';
import { type RunningTurn, type TurnProgress, tell } from './turn-progress.ts';

/** Has a lifetime: that of one call of the model, and of what is tried again. */
export class ModelCall {
  readonly #deps: StepDeps;
  readonly #turn: RunningTurn;
  readonly #progress: TurnProgress;
  #refusal: Refusal | null = null;
  #isMended = false;

  constructor(deps: StepDeps, turn: RunningTurn, progress: TurnProgress) {
    this.#deps = deps;
    this.#turn = turn;
    this.#progress = progress;
  }

  /** Leaves the answer in the progress's draft. @throws what the engine throws */
  ask(): Promise<EngineUsage> {
    return callOnce(this.#deps, this.#turn, this.#progress, this.#refusal);
  }

  /**
   * Resolves when it may be asked again. An engine that finds the prompt too long says how long it is: it is then planned
   * once more with that measure, on a higher step or with less of the history. A window that cannot be loaded gives way
   * to a smaller one. Once, a call is repeated whose refusal has another cause that can be removed.
   * @throws the failure, where nothing can be done; MochiError images_not_supported, tools_not_supported
   */
  async mend(error: unknown): Promise<void> {
    const [deps, turn, progress] = [this.#deps, this.#turn, this.#progress];
    if (await fallBack(deps, turn, progress, error)) return;
    noteFailure(deps, weightsOf(progress.model, turn.session.model), error);
    this.#refusal = this.#refusal === null ? await readRefusal(deps, error, progress) : null;
    if (this.#refusal !== null) return;
    const failure = adviseOnLoad(error, progress);
    if (this.#isMended || !(await mendCall(deps, turn, progress, failure))) throw failure;
    this.#isMended = true;
  }
}

/** @param refusal of the same prompt, by an engine that has counted it */
async function callOnce(
  deps: StepDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  refusal: Refusal | null,
): Promise<EngineUsage> {
  const { session, live } = turn;
  const { model, tip } = progress;
  const weights = weightsOf(model, session.model);
  live.signal.throwIfAborted();
  progress.draft = null;
  const plan = await planCall(deps, turn, progress, refusal);
  progress.plan = plan;
  progress.receipt = plan.receipt;
  const status = waitingPhase(deps, turn, progress);
  // It was planned while the turn became durable. Nothing is told before, and the engine is asked after.
  await live.opened;
  const sayNow = (events: readonly TurnEvent[]) => tell(turn, progress, events);
  sayNow([
    { event: 'context', data: plan.receipt },
    { event: 'status', data: status },
  ]);
  progress.draft = new Draft({
    checkpoints: turn.given ? NO_CHECKPOINTS : deps.checkpoints,
    sessionId: session.session_id,
    turnId: live.turnId,
    messageId: deps.newId(10),
    model: session.model,
    timestamp: turn.given ? deps.now() : await instantAfter(deps.db, session.session_id, tip, deps.now()),
    parent: tip,
    tenure: live.tenure,
    told: live,
    receipt: plan.receipt,
  });
  const wait = followWait(deps, turn, progress, status);
  const request = requestOf(turn, progress, plan);
  try {
    const usage = await modelStep({
      engine: deps.engine,
      draft: progress.draft,
      signal: progress.place?.signal ?? live.signal,
      request,
      hold: holdOf(deps, turn.request, plan),
      isParallel: turn.request.isParallel,
      onBegin: () => {
        wait.stop();
        // What was said before, images among it, may be large: it is not held while the answer is written.
        request.messages = plan.messages = [];
        noteBegun(deps, turn, progress);
      },
      tell: sayNow,
    });
    deps.modelRates.observe(weights, usage);
    progress.place?.note(usage.waitedMs ?? null);
    // Another program has made room for its own model, or the name stands for another one.
    if (!plan.receipt.reload_expected && isLoad(usage)) {
      // Or the engine was started anew, and nobody has seen it.
      deps.loadFailures.forget(weights);
      await unlessAborted(askLoaded(deps, session, progress), live.signal);
    }
    deps.modelWindows.noteUse(weightsOf(progress.model, session.model), plan.chosen.window);
    live.signal.throwIfAborted();
    await progress.draft.close();
    return usage;
  } finally {
    wait.stop();
    progress.use?.end();
  }
}

/** @throws MochiError the refusal, where the engine would be asked what it has refused; what the plan throws */
async function planCall(
  deps: StepDeps,
  turn: RunningTurn,
  progress: TurnProgress,
  refusal: Refusal | null,
): Promise<PromptPlan> {
  const { model, tip, reason, mark: before, offer, nudge } = progress;
  const ratio = refusal?.ratio ?? null;
  const question = { ...turn, model, tip, before, reason, ratio, offer, nudge };
  const planned = turn.given ? planGiven(deps, question, turn.given) : await planPrompt(deps, question);
  const plan = progress.isRestarted ? asRestarted(planned) : planned;
  if (refusal !== null && isSamePrompt(refusal.plan, plan)) throw refusal.error;
  return plan;
}

function requestOf(turn: RunningTurn, { model }: TurnProgress, plan: PromptPlan): AskedOfEngine {
  return toEngineRequest({ ...turn, model }, plan);
}

type AskedOfEngine = Omit<EngineChatRequest, 'messages'> & Pick<PromptPlan, 'messages'>;

/** What the engine is sent; its messages can be let go of. */
export function toEngineRequest(
  { session, request, model, given }: Pick<RunningTurn, 'session' | 'request' | 'model' | 'given'>,
  plan: PromptPlan,
): AskedOfEngine {
  const { num_ctx: _window, ...options } = request.options;
  const { keepAlive } = request;
  const isForced = plan.forced.length > 0;
  // Beside a format no tool would be called.
  const format = isForced ? forcedFormat(plan.forced) : plan.tools.length === 0 ? request.format : null;
  return {
    model: session.model,
    messages: [...readableBy(model, plan.messages), ...said(plan.nudge)],
    think: thinkOf(model, request.think),
    window: plan.chosen.window,
    options: plan.answer.tokens === null ? options : { ...options, num_predict: plan.answer.tokens },
    ...(format !== null && { format }),
    ...(plan.tools.length > 0 && !isForced && { tools: toEngineTools(plan.tools) }),
    ...(keepAlive !== null && { keepAlive }),
    ...(given?.completion && { completion: given.completion }),
  };
}

function asRestarted(plan: PromptPlan): PromptPlan {
  return { ...plan, receipt: { ...plan.receipt, engine_restarted: true } };
}

function said(nudge: string | null): EngineMessage[] {
  return nudge === null ? [] : [{ role: 'user', content: nudge }];
}

/** The engine holds the model now, and has read the prompt. */
function noteBegun(deps: StepDeps, { session }: RunningTurn, progress: TurnProgress): void {
  const { plan, draft } = progress;
  if (plan === null || draft === null) return;
  const { window, step, reason } = plan.chosen;
  const weights = weightsOf(progress.model, session.model);
  progress.reason = reason;
  progress.place?.begin();
  if (step !== null) deps.modelWindows.raise(weights, step);
  progress.use = deps.modelWindows.beginUse(weights, window);
  if (window !== null) deps.loadFailures.noteLoaded(weights, window);
  progress.mark = plan.mark = { ...plan.mark, answerId: draft.options.messageId };
  // Nobody waits for the answer.
  if (deps.modelWindows.isStale(weights, window)) void askLoaded(deps, session, progress);
}

/** Which models the engine holds now; once a turn. */
async function askLoaded(deps: StepDeps, session: StoredSession, progress: TurnProgress): Promise<void> {
  if (progress.hasAskedWindows) return;
  progress.hasAskedWindows = true;
  await learnWindows(deps, weightsOf(progress.model, session.model));
  await noteModel(deps, session, progress);
}
