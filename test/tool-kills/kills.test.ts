// kill -9 at the commits of turns with tools, in the tools themselves, while the server starts that finds them cut, and
// while a person says what became of them: no call runs twice unless somebody said so, and nothing counts as a success
// that did not happen. `npm run test:kills` does it at every commit, hundreds of times.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { killOnce } from './kill-once.ts';
import { callsTools, MODEL } from './ledger-tool.ts';
import { Life } from './life.ts';
import { allSeries, isInTool, type Series } from './series.ts';

/** How many kills there are to be at least, at every commit; 0: a few of them, somewhere. */
const KILLS = Number(process.env['MOCHI_TOOL_KILLS'] ?? 0);
const SAMPLE = 10;
/** Data folders, each with its server, side by side. */
const LIVES = 2;
/** Of a commit that is chosen by chance: fewer than there are. */
const LIKELY_COMMITS = 6;

let ollama: FakeOllama;
let lives: Life[] = [];
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  ollama.setDefault(callsTools);
  lives = Array.from({ length: LIVES }, () => new Life(ollama.url));
  await Promise.all(lives.map((life) => life.start()));
}, 60_000);
afterAll(async () => {
  await Promise.all(lives.map((life) => life.close()));
  await ollama.close();
});

const killCount = () => lives.reduce((sum, { kills }) => sum + kills, 0);
let keys = 0;
const nextKey = () => `k${(keys += 1)}x`;

/** Each life takes the next piece of work until there is none. */
async function shareOut<T>(work: T[], action: (life: Life, piece: T) => Promise<void>): Promise<void> {
  await Promise.all(
    lives.map(async (life) => {
      for (let piece = work.shift(); piece !== undefined; piece = work.shift()) {
        try {
          await action(life, piece);
        } catch (error) {
          work.splice(0);
          throw new Error(`${JSON.stringify(piece)} in ${life.dataDir}`, { cause: error });
        }
      }
    }),
  );
}

/** Commit by commit, until there is none to be killed at. @returns at how many */
async function killAlong(life: Life, series: Series): Promise<number> {
  if (isInTool(series)) {
    expect(await killOnce(life, series, { key: nextKey(), commit: 1 })).toBe(true);
    return 1;
  }
  let commit = 1;
  while (await killOnce(life, series, { key: nextKey(), commit })) commit += 1;
  return commit - 1;
}

it.runIf(KILLS > 0)(
  `holds what was promised over ${KILLS} kills, at every commit`,
  { timeout: Math.max(1, KILLS) * 10_000 },
  async () => {
    const found = new Map<string, number>();
    for (let pass = 0; killCount() < KILLS; pass += 1) {
      await shareOut(allSeries(pass), async (life, series) => {
        const count = await killAlong(life, series);
        found.set(`${series.phase}, ${series.at}: ${series.message}`, count);
      });
    }
    console.log(`${killCount()} kills; at so many points each:`, Object.fromEntries(found));
    const points = lives.flatMap(({ dataDir }) =>
      readFileSync(join(dataDir, 'kills.txt'), 'utf8').trimEnd().split('\n'),
    );
    for (const at of ['before', 'after']) {
      const cut = (...tables: string[]) =>
        points.some((point) => point.startsWith(at) && tables.every((table) => point.includes(table)));
      const boundaries = {
        plan: cut('insert tool_calls'),
        wait: points.includes(`${at} update turns`),
        decide: cut('update approvals'),
        start: cut('insert tool_executions', 'update tool_calls'),
        finish: cut('update tool_executions', 'insert messages', 'update tool_calls'),
        recover: cut('update tool_executions', 'insert approvals', 'update turns'),
      };
      expect([at, Object.entries(boundaries).filter(([, wasCut]) => !wasCut)]).toEqual([at, []]);
    }
  },
);

it.runIf(KILLS === 0)('holds what was promised over a few kills', { timeout: 180_000 }, async () => {
  const all = allSeries(randomInt(3));
  const inTool = all.filter((series) => isInTool(series) && series.message === 'write KEY');
  const others = all.filter((series) => !isInTool(series) && series.phase !== 'recovery');
  const chosen = Array.from(
    { length: SAMPLE - inTool.length },
    () => others[randomInt(others.length)] ?? [],
  ).flat();
  await shareOut([...inTool, ...chosen], async (life, series) => {
    await killOnce(life, series, { key: nextKey(), commit: randomInt(1, LIKELY_COMMITS + 1) });
  });
  expect(killCount()).toBeGreaterThan(inTool.length);
});
