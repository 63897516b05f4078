// The benchmark: `npm run bench -- [--only a,c] [--quick] [--dist] [--profile DIR] [--seconds N] [--streams 1,500] [--seed N]
// [--against REF]`.
// Prints what was measured beside its target; timings never decide the exit status, what the soak finds does.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureAccept } from './accept.ts';
import { measureBackgroundJobs } from './background-jobs.ts';
import { measureContextWindow } from './context-window.ts';
import { measureDialects } from './dialects.ts';
import { measureEmbedded } from './embedded.ts';
import { measureFirstToken } from './first-token.ts';
import { measureFlood } from './flood.ts';
import { measureLoad } from './load.ts';
import { closeConnections } from './load-client.ts';
import { measureLongSession } from './long-session.ts';
import { measureLoopDelay } from './loop-delay.ts';
import { measurePage } from './page.ts';
import { cleanUp, hasBuild } from './processes.ts';
import { type Findings, number, showFindings } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { measureSearch } from './search.ts';
import { measureSearchOnDatabases } from './search-databases.ts';
import { measureSessionList } from './session-list.ts';
import { measureSeveralServers } from './several-servers.ts';
import { measureSideBySide } from './side-by-side.ts';
import { measureSoak } from './soak.ts';
import { measureStartUp } from './start-up.ts';
import { measureToolCalls } from './tool-calls.ts';
import { measureToolGroups } from './tool-groups.ts';
import { measureTransfer } from './transfer.ts';
import { measureUnusedTools } from './unused-tools.ts';
import { measureWaitingTurns } from './waiting-turns.ts';

interface Scenario {
  readonly title: string;
  readonly measure: (options: BenchOptions) => Promise<Findings>;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  a: { title: 'Flood: 32 streams of 400 undelayed tokens', measure: measureFlood },
  b: { title: 'First token: streams of 30 tokens a second', measure: measureFirstToken },
  c: { title: 'Plain chat on a long session', measure: measureLongSession },
  d: { title: 'GET /sessions?limit=50', measure: measureSessionList },
  e: { title: 'Start', measure: measureStartUp },
  f: { title: 'Load: open streams of 30 tokens a second', measure: measureLoad },
  g: { title: 'Soak: everything at random, with an engine that fails', measure: measureSoak },
  h: { title: 'First token while a summary is being written', measure: measureBackgroundJobs },
  i: { title: 'Search in 100 000 messages', measure: measureSearch },
  j: { title: 'The embedded engine beside the bare binding', measure: measureEmbedded },
  k: { title: 'Context window: reloads and plans', measure: measureContextWindow },
  l: { title: 'Export, import and backup of 100 000 messages', measure: measureTransfer },
  m: { title: 'The loop while large sessions come and go', measure: measureLoopDelay },
  n: { title: 'A call of a tool', measure: measureToolCalls },
  o: { title: 'A hundred turns that wait for a person', measure: measureWaitingTurns },
  p: { title: 'Start with 20 groups of tools', measure: measureToolGroups },
  q: { title: 'Plain chats beside 20 unused tools', measure: measureUnusedTools },
  page: { title: 'The page in a real browser', measure: measurePage },
  s: {
    title: 'Chat Completions beside the bare relay, and sessions found by their history',
    measure: measureDialects,
  },
  t: { title: 'Accepting a turn, on SQLite and PostgreSQL', measure: measureAccept },
  u: { title: 'Search on SQLite and PostgreSQL', measure: measureSearchOnDatabases },
  v: { title: 'Several servers on one PostgreSQL', measure: measureSeveralServers },
  r: { title: 'Side by side with the bare relay', measure: measureSideBySide },
};

/** All but the one that needs a real model, and the one that sums the others up. */
const DEFAULT_SCENARIOS = Object.keys(SCENARIOS)
  .filter((name) => name !== 'j' && name !== 'r')
  .join(',');

process.once('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    against: { type: 'string' },
    quick: { type: 'boolean', default: false },
    dist: { type: 'boolean', default: false },
    profile: { type: 'string' },
    seconds: { type: 'string' },
    streams: { type: 'string' },
    seed: { type: 'string' },
  },
});
if (values.dist && !hasBuild()) refuse('There is no dist/: run npm run build first.');

const { against = null } = values;
const chosen = (values.only ?? (against === null ? DEFAULT_SCENARIOS : 'r'))
  .split(',')
  .map((name) => name.trim());
const unknown = chosen.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0)
  refuse(`No such scenario: ${unknown.join(', ')}. There are ${Object.keys(SCENARIOS).join(', ')}.`);

const [seconds = null] = numbers('seconds', values.seconds) ?? [];
const [seed = null] = numbers('seed', values.seed) ?? [];
const streams = numbers('streams', values.streams);

const build = values.dist ? 'dist' : 'src';
const load = () =>
  loadavg()
    .map((value) => number(value, 1))
    .join(' ');
console.log(
  `mochi-server from ${build}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, load ${load()}\n`,
);
for (const name of chosen) {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) continue;
  const startedAt = performance.now();
  const findings = await scenario.measure({
    server: { build, profileDir: values.profile ?? null },
    isQuick: values.quick,
    seconds,
    streams,
    seed,
    against,
    say: (text) => process.stderr.write(`  (${name}) ${text}\n`),
  });
  const took = (performance.now() - startedAt) / 1000;
  if (findings.hasFailed) process.exitCode = 1;
  console.log(showFindings(`(${name}) ${scenario.title}  [${number(took, 0)} s]`, findings));
}
closeConnections();
console.log(`load at the end: ${load()}`);

/** A comma list of whole numbers above zero; null when it was not given. */
function numbers(flag: string, text: string | undefined): number[] | null {
  if (text === undefined) return null;
  const given = text.split(',').map(Number);
  const areFine = given.every((value) => Number.isSafeInteger(value) && value > 0);
  return areFine ? given : refuse(`--${flag} takes whole numbers above zero, not ${text}.`);
}

function refuse(problem: string): never {
  console.error(problem);
  process.exit(2);
}
