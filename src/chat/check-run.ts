// What can be said of a run that a client wants before anything of it is stored.
import type { ValidAgent } from '../agents/agent.ts';
import type { EngineModel } from '../contract/engine.ts';
import { INITIAL_WINDOW } from '../sessions/change-window.ts';
import { requireChatModel, requireDefaultModel } from '../sessions/require.ts';
import type { StoredSession } from '../store/sessions.ts';
import { chooseAgentModel } from './agent-model.ts';
import { checkWithModel } from './check-request.ts';
import { checkFits } from './prompt/check-fits.ts';
import type { RunOrigin } from './run-origin.ts';
import type { TurnDeps } from './turn-deps.ts';
import type { TurnRequest } from './turn-request.ts';

export interface WantedRun {
  readonly agent: ValidAgent;
  /** Null: a new one. */
  readonly chat: StoredSession | null;
  /** Null: that of the agent, else of its chat, else the default one. */
  readonly model: string | null;
  readonly request: TurnRequest;
}

/** @throws MochiError model_unusable, context_overflow, ollama_unreachable, ollama_error, engine_not_ready */
export async function checkRun(
  deps: TurnDeps,
  wanted: WantedRun,
): Promise<{
  readonly model: EngineModel | null;
  readonly run: RunOrigin;
  readonly newestTurnAt: string | null;
}> {
  const { agent, chat, request } = wanted;
  const name = await chooseModel(deps, wanted);
  const session = {
    session_id: chat?.session_id ?? '',
    model: name,
    context_window: chat?.context_window ?? INITIAL_WINDOW,
    systemId: null,
  };
  const model = await checkWithModel(deps, name, (known) =>
    checkFits(deps, {
      session,
      model: known,
      request,
      offer: agent.offer,
      tip: null,
      system: agent.skill.systemPrompt,
    }),
  );
  const newestTurnAt = chat?.newestTurnAt ?? null;
  return { model, newestTurnAt, run: { agent, model: name, isNew: chat === null, parent: null } };
}

async function chooseModel(deps: TurnDeps, { agent, chat, model: wanted }: WantedRun): Promise<string> {
  if (wanted !== null) return (await requireChatModel(deps.engine, wanted)).name;
  const chosen = await chooseAgentModel(
    deps.engine,
    agent,
    async () => chat?.model ?? (await requireDefaultModel(deps)).name,
  );
  if (chosen.warning !== null) deps.log.warn(chosen.warning);
  return chosen.model;
}
