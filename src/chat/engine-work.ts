// What clients want of the engine that is no turn: vectors of texts, a model in memory, the length of a prompt.
import type { EngineEmbeddings, EngineEmbedRequest, EngineModel } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { chooseWindow } from '../window/choose-window.ts';
import { weightsOf } from '../window/model-windows.ts';
import type { CallDeps } from './call-in-line.ts';
import { recallModel } from './check-request.ts';
import type { ClientWork } from './line/client-work.ts';
import { untilReady } from './line/until-ready.ts';
import type { PassingRequest } from './passing-request.ts';
import { askWindow } from './prompt/ask-window.ts';
import { planGiven } from './prompt/given-prompt.ts';
import { learnWindows } from './prompt/learn-windows.ts';
import { NO_SESSION, readPassing, requireChat } from './read-passing.ts';

export interface EngineWork {
  /** Roughly how many tokens the prompt of a request takes, as its plan would have it. */
  estimate(request: PassingRequest): Promise<number>;
  /** It takes a slot, and a place with the engine, like a turn. @throws MochiError not_supported; what the engine throws */
  embed(request: EngineEmbedRequest, signal: AbortSignal): Promise<EngineEmbeddings>;
  /** Into memory, with the window that a chat would ask for. @throws what the engine throws */
  load(request: PassingRequest, signal: AbortSignal): Promise<void>;
  /** Out of it. @throws what the engine throws */
  unload(name: string): Promise<void>;
}

export function createEngineWork(deps: CallDeps, work: ClientWork): EngineWork {
  const { engine, modelWindows } = deps;

  async function inLine<T>(
    name: string,
    left: AbortSignal,
    action: (model: EngineModel | null, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const model = await recallModel(deps, name);
    return work.run(NO_SESSION, async (stopped) => {
      const signal = AbortSignal.any([left, stopped]);
      const place = deps.engineLine.enter(weightsOf(model, name), {
        parallel: model?.parallel ?? null,
        onMove: () => undefined,
      });
      try {
        await untilReady(place.ready, signal);
        return await action(model, signal);
      } finally {
        place.leave();
      }
    });
  }

  return {
    async estimate(request) {
      const asked = await readPassing(deps, request);
      const model = await recallModel(deps, request.model);
      const tip = { id: '', depth: request.messages.length - 1 };
      const question = { ...asked, model, tip, before: null, reason: null, ratio: null };
      return planGiven(deps, question, request).receipt.planned_tokens;
    },
    async embed(request, left) {
      const { embed } = engine;
      if (embed === undefined) throw noVectors(request.model);
      if (request.input.length === 0) return { vectors: [], promptTokens: 0, totalMs: 0, loadMs: 0 };
      return inLine(request.model, left, (_model, signal) => embed(request, signal));
    },
    load: (request, left) =>
      inLine(request.model, left, async (model, signal) => {
        requireChat(model);
        const asked = await readPassing(deps, request);
        const question = askWindow(deps, { ...asked, model });
        const unplanned = { plannedTokens: 0, isCut: false, isFirstTurn: true, hasModelChanged: false };
        const { window, step } = chooseWindow(question, unplanned);
        const weights = weightsOf(model, request.model);
        const { keepAlive } = request;
        await engine.loadModel?.(request.model, { window, keepAlive }, signal);
        if (step !== null) modelWindows.raise(weights, step);
        modelWindows.noteUse(weights, window);
        await learnWindows(deps, weights);
      }),
    async unload(name) {
      const model = await recallModel(deps, name);
      await engine.unloadModel?.(name);
      modelWindows.noteUnloaded(weightsOf(model, name));
    },
  };
}

function noVectors(model: string): MochiError {
  return new MochiError(
    'not_supported',
    `The engine of the model ${model} makes no vectors of texts: use an Ollama.`,
    { model },
  );
}
