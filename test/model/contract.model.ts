// The engine contract on a real model.
import { createOllamaEngine } from '../../src/engines/ollama/ollama-engine.ts';
import { describeEngine } from '../engines/contract.ts';
import { openRealEngine, realConfig, realModel, unload } from './real-engine.ts';

describeEngine('a real model', async () => {
  const config = realConfig('.');
  const engine =
    config.engine === 'embedded'
      ? openRealEngine()
      : createOllamaEngine({
          baseUrl: config.ollamaHost,
          connectTimeoutSeconds: 5,
          infoTimeoutSeconds: 10,
          firstTokenTimeoutSeconds: 80,
          idleTimeoutSeconds: 80,
        });
  const model = await realModel(engine);
  await unload(engine, model);
  return {
    engine,
    model,
    shortQuestion: 'Say hello.',
    longQuestion: 'Tell me a long story about a ship and its crew.',
    options: { num_predict: 48, temperature: 0, seed: 7 },
    close: () => engine.close(),
  };
});
