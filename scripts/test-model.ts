// The tests on a real model: fetches engine and model where they can be had, says loudly when they cannot.
// MOCHI_TEST_MODEL=qwen3-0.6b takes that one in place of the toy;
// MOCHI_TEST_OLLAMA=http://localhost:11434 runs them against that Ollama (MOCHI_TEST_OLLAMA_MODEL names the model).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TOY_MODEL } from '../src/engines/embedded/catalogue.ts';
import { openRealEngine, REAL_DATA_DIR, TEST_MODEL } from '../test/model/real-engine.ts';

/** What fetching may take; a machine without network should say so long before. */
const FETCH_LIMIT_MS = TEST_MODEL === TOY_MODEL ? 100_000 : 1_800_000;
const isToy = process.env['MOCHI_TEST_OLLAMA'] === undefined && TEST_MODEL === TOY_MODEL;
/** Half a minute where nothing else runs, and many where much does; larger models take longer, and an Ollama may have others who use it. */
const TESTS_LIMIT_MS = isToy ? 900_000 : 1_200_000;

const problem = process.env['MOCHI_TEST_OLLAMA'] === undefined ? await prepare() : null;
if (problem === null) {
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
  const args = [vitest, 'run', '--config', 'vitest.model.config.ts'];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', timeout: TESTS_LIMIT_MS });
  process.exitCode = status ?? 1;
} else {
  const line = '='.repeat(100);
  process.stdout.write(
    `${line}\nSKIPPED: the tests on a real model (${TEST_MODEL.title}). It cannot be had here:\n${problem}\n${line}\n`,
  );
}
// An npm that hangs must not hold the process.
process.exit();

/** @returns why the model cannot be had; null when it is there */
async function prepare(): Promise<string | null> {
  process.stdout.write(`Engine and model in ${REAL_DATA_DIR}\n`);
  let last = '';
  const engine = openRealEngine((text) => {
    last = text;
    process.stdout.write(`${text}\n`);
  });
  const limit = new Promise<void>((resolve) => setTimeout(resolve, FETCH_LIMIT_MS));
  await Promise.race([engine.prepare(), limit]);
  const { reachable } = await engine.health();
  return reachable && (await engine.listModels()).length > 0 ? null : last;
}
