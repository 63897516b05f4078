// `npm run test:model` on an Ollama: on a model that finds no end by itself, whatever is in memory beforehand.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { createPrograms, programModels } from '../fake-ollama/programs.ts';

const SLOW_MACHINE_MS = 180_000;
const ENDLESS = 'endless:latest';
const root = fileURLToPath(new URL('../../', import.meta.url));

let ollama: FakeOllama;
beforeEach(async () => {
  const programs = programModels(createPrograms()).map((model) => ({
    ...model,
    digest: model.name,
    // It writes without end, and calls nothing.
    ...(model.name === ENDLESS && { capabilities: ['completion'] }),
  }));
  const copy = {
    name: 'copy:latest',
    digest: ENDLESS,
    contextLength: 131_072,
    capabilities: ['completion'],
  };
  ollama = await startFakeOllama({ models: [...defaultModels, ...programs, copy] });
  return () => ollama.close();
});

/** Others have loaded it. */
async function load(model: string, numCtx: number): Promise<void> {
  const body = JSON.stringify({ model, messages: [], options: { num_ctx: numCtx }, keep_alive: -1 });
  const { status } = await fetch(`${ollama.url}/api/chat`, { method: 'POST', body });
  expect(status).toBe(200);
}

function testModel(env: Record<string, string>): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/test-model.ts'], {
    cwd: root,
    env: { ...process.env, MOCHI_TEST_OLLAMA: ollama.url, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, output })));
}

describe('npm run test:model', { timeout: SLOW_MACHINE_MS }, () => {
  it.each<[string, () => Promise<void>]>([
    ['it is loaded with another window', () => load(ENDLESS, 16_384)],
    ['it is loaded under another name', () => load('copy', 4096)],
  ])('passes where %s, and lets nothing run away', async (_, prepare) => {
    await prepare();
    const { status, output } = await testModel({ MOCHI_TEST_OLLAMA_MODEL: 'endless' });
    expect({ status, output }).toEqual({ status: 0, output: expect.stringMatching(/Tests .* passed/) });
    expect(output).not.toMatch(/failed/);
    const answered = ollama.requestsTo('/api/chat').map(({ body }: any) => body);
    for (const { messages, options } of answered) {
      const asks = /long story/.test(messages?.at(-1)?.content ?? '');
      if (messages?.length > 0 && !asks) expect(options.num_predict).toBeLessThan(500);
    }
  });

  it('says which models there are when it is told one that is not', async () => {
    const { status, output } = await testModel({ MOCHI_TEST_OLLAMA_MODEL: 'nobody-has-this' });
    expect(status).toBe(1);
    expect(output).toMatch(/MOCHI_TEST_OLLAMA_MODEL can be one of: llama3\.2:latest/);
  });
});
