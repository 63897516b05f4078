// The smallest Engine: says the same to everybody. What a new engine can be begun from.
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine, EngineChatRequest, EngineLoadedModel, EngineModel } from '../../src/contract/engine.ts';
import { MochiError } from '../../src/contract/errors.ts';

const MODEL: EngineModel = {
  name: 'scripted',
  size_mb: 0,
  format: 'none',
  family: 'none',
  parameter_size: '0',
  quantization_level: 'none',
  capabilities: ['completion'],
  context_length: 8192,
  trainedLength: 8192,
  wishedWindow: null,
  digest: null,
  weights: 'scripted',
};

export function createScriptedEngine(): Engine {
  const loaded: EngineLoadedModel[] = [];
  const find = async (name: string) => (name.toLowerCase() === MODEL.name ? MODEL : null);
  return {
    name: 'scripted',
    address: 'nowhere',
    async *chat({ model, messages, window }: EngineChatRequest, signal: AbortSignal) {
      signal.throwIfAborted();
      if ((await find(model)) === null) throw new MochiError('model_not_found', `There is no ${model}.`);
      loaded.splice(0, 1, { model, digest: null, weights: MODEL.weights, window, expiresInMs: null });
      const words = messages.at(-1)?.content === 'long' ? 1000 : 2;
      for (let word = 0; word < words; word += 1) {
        await delay(1);
        signal.throwIfAborted();
        yield [{ type: 'content', text: 'word ' }];
      }
      const usage = { promptTokens: 1, outputTokens: words, loadMs: null, promptEvalMs: null, evalMs: null };
      yield [{ type: 'done', reason: 'stop', usage }];
    },
    listModels: async () => [MODEL],
    defaultModel: async () => MODEL,
    findModel: find,
    recallModel: find,
    inventory: async () => `Installed: ${MODEL.name}.`,
    describe: (request) => ({ ...request }),
    listLoaded: async () => loaded,
    async *pullModel(name: string) {
      yield { status: 'looking', completed: null, total: null };
      throw new MochiError('model_not_found', `There is no ${name} to fetch.`);
    },
    deleteModel: async () => false,
    health: async () => ({ reachable: true, version: '1' }),
    close: async () => undefined,
  };
}
