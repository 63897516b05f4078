// The engines that a machine has without a model: Ollama's on the fake, the embedded one on a binding without weights.
import { rm } from 'node:fs/promises';
import { createOllamaEngine } from '../../src/engines/ollama/ollama-engine.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { makeEmbeddedData, openEmbedded } from '../support/embedded-data.ts';
import { behave } from '../turns/behave.ts';
import { describeEngine } from './contract.ts';
import { createScriptedEngine } from './scripted-engine.ts';

describeEngine('Ollama', async () => {
  const ollama = await startFakeOllama();
  ollama.setDefault(behave);
  const engine = createOllamaEngine({
    baseUrl: ollama.url,
    connectTimeoutSeconds: 5,
    infoTimeoutSeconds: 10,
    firstTokenTimeoutSeconds: 60,
    idleTimeoutSeconds: 60,
  });
  return {
    engine,
    model: 'llama3.2:latest',
    shortQuestion: 'Hello!',
    longQuestion: 'pace 500',
    async close() {
      await engine.close();
      await ollama.close();
    },
  };
});

describeEngine('embedded', async () => {
  const dataDir = await makeEmbeddedData();
  const { engine } = openEmbedded(dataDir);
  return {
    engine,
    model: 'small',
    shortQuestion: 'Hello!',
    longQuestion: 'count 1500',
    async close() {
      await engine.close();
      await rm(dataDir, { recursive: true });
    },
  };
});

describeEngine('scripted', async () => ({
  engine: createScriptedEngine(),
  model: 'scripted',
  shortQuestion: 'Hello!',
  longQuestion: 'long',
  close: async () => undefined,
}));
