// The fake as a program: `node test/fake-ollama/main.ts [--port N] [--host H] [--paced-tokens N] [--rogue-tool NAME]`.
// Models are selected by name (`slow`, `flood`, …, see programs.ts). Runs until SIGTERM or SIGINT.
import { parseArgs } from 'node:util';
import { startFakeOllama } from './fake-ollama.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    'paced-tokens': { type: 'string', default: process.env['FAKE_OLLAMA_PACED_TOKENS'] ?? '90' },
    'rogue-tool': { type: 'string', default: process.env['FAKE_OLLAMA_ROGUE_TOOL'] ?? 'delete_file' },
  },
});

const fake = await startFakeOllama({
  port: Number(values.port),
  host: values.host,
  programs: { pacedTokens: Number(values['paced-tokens']), rogueTool: values['rogue-tool'] },
});
console.log(`fake ollama on ${fake.url}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void fake.close());
