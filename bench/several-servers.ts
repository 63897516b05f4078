// (v) Several servers on one PostgreSQL: watching through another one, a driver that is killed, turns a second.
import { measurePeerWatch } from './peer-watch.ts';
import { type Findings, number } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { startSharedDatabase } from './shared-database.ts';
import { measureSharedTurns } from './shared-turns.ts';
import { median, percentile, quotients, range } from './statistics.ts';
import { measureTakeovers } from './takeovers.ts';

/** Milliseconds that a token may take longer through another server, of the slowest hundredth. */
const MOST_ADDED = 10;
/** What is less than as many is noise. */
const LEAST_TURNS = 0.95;
/** Seconds in which a turn is somebody's again. */
const MOST_TAKEN = 40;

export async function measureSeveralServers({ server, isQuick, say }: BenchOptions): Promise<Findings> {
  const database = await startSharedDatabase(server);
  if (database === null) {
    say('There is no PostgreSQL on this machine: nothing is measured.');
    return { columns: [''], rows: [], targets: [] };
  }
  const turns = isQuick ? 10 : 50;
  say(`${turns} turns, watched at the driver and through another server`);
  const { driver, peer } = await measurePeerWatch(database, { turns, seconds: isQuick ? 4 : 15 });
  say('turns a second of one server and of two');
  const { one, two } = await measureSharedTurns(database, {
    rounds: isQuick ? 2 : 14,
    turns: isQuick ? 100 : 250,
  });
  const kills = isQuick ? 1 : 5;
  say(`${kills} drivers are killed`);
  const takeovers = await measureTakeovers(database, kills);
  await database.stop();

  const ratios = quotients(two, one);
  const ended = takeovers.map((takeover) => takeover.ended);
  const resumed = takeovers.map((takeover) => takeover.resumed);
  const compare = (name: string, alone: number, shared: number, digits: number) => [
    name,
    number(alone, digits),
    number(shared, digits),
    number(shared / alone, 2),
  ];
  const delay = (percent: number) =>
    compare(
      `a token of ${turns} turns of 30 a second, p${percent}: ms`,
      percentile(driver, percent),
      percentile(peer, percent),
      1,
    );
  return {
    columns: ['', 'one server', 'through or with another', 'ratio'],
    rows: [delay(50), delay(99), compare('turns of one token a second', median(one), median(two), 0)],
    targets: [
      {
        name: 'a token through another server, p99, longer than at the driver',
        reached: percentile(peer, 99) - percentile(driver, 99),
        limit: MOST_ADDED,
        bound: 'at most',
        unit: ' ms',
      },
      {
        name: 'turns a second, two servers to one on the same machine',
        reached: median(two) / median(one),
        limit: LEAST_TURNS,
        bound: 'at least',
        unit: '',
        note: `medians; rounds ${range(ratios, (ratio) => number(ratio, 2))}`,
      },
      ...[
        { name: 'a turn whose driver is killed has ended', seconds: ended },
        { name: 'a turn in line behind it runs elsewhere', seconds: resumed },
      ].map(({ name, seconds }) => ({
        name: `${name}, longest of ${kills}`,
        reached: Math.max(...seconds),
        limit: MOST_TAKEN,
        bound: 'at most' as const,
        unit: ' s',
        note: range(seconds, (value) => `${number(value, 1)} s`),
      })),
    ],
    hasFailed: [...ended, ...resumed].some(Number.isNaN),
  };
}
