// Turns a second of two servers on one database, against those of one of them, on the same machine.
import { type Program, startFakeOllama } from './processes.ts';
import type { SharedDatabase } from './shared-database.ts';
import { runTurns } from './side-figures.ts';
import { createSessions } from './sides.ts';
import { serverCall } from './targets.ts';

/** Turns a second, round by round. */
export interface SharedTurns {
  readonly one: readonly number[];
  readonly two: readonly number[];
}

export async function measureSharedTurns(
  database: SharedDatabase,
  { rounds, turns }: { readonly rounds: number; readonly turns: number },
): Promise<SharedTurns> {
  const engine = await startFakeOllama(1);
  const servers = await Promise.all([database.startServer(engine), database.startServer(engine)]);
  const [first] = servers;
  const calls = (rounds + 1) * 2 * turns;
  const sessions = await createSessions(first, { model: 'paced', calls });
  const run = async (some: readonly Program[]): Promise<number> => {
    let next = 0;
    const startedAt = performance.now();
    await runTurns(
      { nextCall: () => serverCall(some[next++ % some.length] ?? first, sessions.pop() ?? '', 1) },
      turns,
    );
    return turns / ((performance.now() - startedAt) / 1000);
  };
  const [one, two]: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round += 1) {
    const pair = [
      { servers: [first], rates: one },
      { servers, rates: two },
    ];
    // Each begins every second round: what is older by a round has larger tables.
    for (const side of round % 2 === 0 ? pair : pair.toReversed()) {
      const rate = await run(side.servers);
      if (round >= 0) side.rates.push(rate);
    }
  }
  await Promise.all([...servers, engine].map((program) => program.stop()));
  return { one, two };
}
