// kill -9 at the commits of turns whose agents use tools, in the tools themselves, while the server starts, and while a
// person decides: the agent's calls keep what is promised of calls, and its run and its parent end as one.
// `npm run test:kills` does it at every commit, a hundred times and more.
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { AGENT, callsAgent } from './agent-ledger.ts';
import { killOnce } from './kill-once.ts';
import { MODEL } from './ledger-tool.ts';
import { Life } from './life.ts';
import { isInTool, type Series } from './series.ts';

/** How many kills there are to be at least, at every commit; 0: a few of them, somewhere. */
const KILLS = Number(process.env['MOCHI_AGENT_KILLS'] ?? 0);
const SAMPLE = 4;
/** Of a commit that is chosen by chance: fewer than there are. */
const LIKELY_COMMITS = 10;

const DECISIONS = ['retry', 'respond', 'deny'] as const;

/** @param pass other decisions in every pass */
function agentSeries(pass: number): Series[] {
  const decided = (index: number) => DECISIONS[(index + pass) % DECISIONS.length] ?? 'retry';
  const inTurn = ['agent: write KEY', 'agent: ask KEY', 'agent: write KEY, ask KEYb'].flatMap((message) =>
    (['tool-before', 'tool-after', 'before', 'after'] as const).map((at, index) => ({
      message,
      phase: 'turn' as const,
      at,
      decision: decided(index),
    })),
  );
  const later = (['before', 'after'] as const).flatMap((at, index) =>
    (['decision', 'recovery'] as const).map((phase) => ({
      message: 'agent: write KEY',
      phase,
      at,
      decision: decided(index),
    })),
  );
  return [...inTurn, ...later];
}

let ollama: FakeOllama;
let life: Life;
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  ollama.setDefault(callsAgent);
  life = new Life(ollama.url, AGENT);
  await life.start();
}, 60_000);
afterAll(async () => {
  await life.close();
  await ollama.close();
});

let keys = 0;
const nextKey = () => `a${(keys += 1)}x`;

/** Commit by commit, until there is none to be killed at. @returns at how many */
async function killAlong(series: Series): Promise<number> {
  let commit = 1;
  while (await killOnce(life, series, { key: nextKey(), commit })) {
    if (isInTool(series)) return 1;
    commit += 1;
  }
  return commit - 1;
}

it.runIf(KILLS > 0)(
  `holds what was promised over ${KILLS} kills, at every commit`,
  { timeout: Math.max(1, KILLS) * 30_000 },
  async () => {
    const found: Record<string, number> = {};
    for (let pass = 0; life.kills < KILLS; pass += 1) {
      for (const series of agentSeries(pass)) {
        found[`${series.phase}, ${series.at}: ${series.message}`] = await killAlong(series);
      }
    }
    console.log(`${life.kills} kills; at so many points each:`, found);
    expect(Object.values(found).every((count) => count > 0)).toBe(true);
  },
);

it.runIf(KILLS === 0)('holds what was promised over a few kills', { timeout: 180_000 }, async () => {
  const all = agentSeries(randomInt(3));
  const inTool = all.filter((series) => isInTool(series) && series.message === 'agent: write KEY');
  const others = all.filter((series) => !isInTool(series) && series.phase === 'turn');
  const chosen = Array.from({ length: SAMPLE - inTool.length }, () => others[randomInt(others.length)] ?? []);
  for (const series of [...inTool, ...chosen.flat()]) {
    await killOnce(life, series, { key: nextKey(), commit: randomInt(1, LIKELY_COMMITS + 1) });
  }
  expect(life.kills).toBeGreaterThan(inTool.length);
});
