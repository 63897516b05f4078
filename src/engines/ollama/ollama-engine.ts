// Ollama behind the Engine interface.
import type { Engine, EngineHealth } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { inventoryOf } from '../inventory.ts';
import { createAsk } from './ask-ollama.ts';
import { createChat } from './chat.ts';
import { embedTexts } from './embed.ts';
import { unreachable } from './failures.ts';
import { forwardCall } from './forward.ts';
import { createComplete } from './generate.ts';
import { createOllamaModels, type OllamaModels } from './models.ts';
import { connectOllama, type OllamaHttp } from './ollama-http.ts';
import { deleteOllamaModel, pullOllamaModel } from './pull.ts';
import { toChatBody } from './wire.ts';

export interface OllamaEngineOptions {
  readonly baseUrl: string;
  readonly connectTimeoutSeconds: number;
  /** For everything but chats. */
  readonly infoTimeoutSeconds: number;
  readonly firstTokenTimeoutSeconds: number;
  readonly idleTimeoutSeconds: number;
}

/** /health must answer within two seconds whatever Ollama does. */
const HEALTH_TIMEOUT_MS = 1500;

export function createOllamaEngine(options: OllamaEngineOptions): Engine {
  const { baseUrl, connectTimeoutSeconds } = options;
  const http = connectOllama({ baseUrl, connectTimeoutMs: connectTimeoutSeconds * 1000 });
  const models = createOllamaModels({ http, timeoutMs: options.infoTimeoutSeconds * 1000 });

  return {
    name: 'ollama',
    address: http.address,
    chat: createChat({ http, models, deadlines: options }),
    complete: createComplete({ http, models, deadlines: options }),
    embed(request, signal) {
      const late = AbortSignal.timeout(options.firstTokenTimeoutSeconds * 1000);
      return embedTexts({ http, models }, request, AbortSignal.any([signal, late]));
    },
    forward: (call, signal) => forwardCall(http, call, signal),
    async loadModel(model, { window, keepAlive }, signal) {
      const late = AbortSignal.timeout(options.firstTokenTimeoutSeconds * 1000);
      await models.load(model, { window, keepAlive }, AbortSignal.any([signal, late]));
    },
    listModels: models.list,
    defaultModel: async () => (await models.list())[0] ?? null,
    findModel: models.find,
    recallModel: models.recall,
    inventory: () => inventoryOf(models.list),
    describe: toChatBody,
    departures: http.departures,
    listLoaded: models.listLoaded,
    unloadModel: models.unload,
    ...changeModels(http, models, options.infoTimeoutSeconds * 1000),
    health: () => askHealth(http),
    close: http.close,
  };
}

function changeModels(
  http: OllamaHttp,
  models: OllamaModels,
  timeoutMs: number,
): Pick<Engine, 'pullModel' | 'deleteModel'> {
  return {
    pullModel: (name, signal) => pullOllamaModel(http, name, signal),
    async deleteModel(name) {
      models.forget(name);
      return deleteOllamaModel(http, name, AbortSignal.timeout(timeoutMs));
    },
  };
}

async function askHealth(http: OllamaHttp): Promise<EngineHealth> {
  try {
    const { value } = await createAsk(http, HEALTH_TIMEOUT_MS)({ method: 'GET', path: '/api/version' });
    const { version } = value;
    return { reachable: true, version: typeof version === 'string' ? version : null };
  } catch (error) {
    const problem = error instanceof MochiError ? error : unreachable(error, http.address);
    return { reachable: false, version: null, problem };
  }
}
