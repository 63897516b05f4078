// (g) A minute of everything at once, with an engine that fails in every way: nothing that was acknowledged is lost,
// nothing stays open, nothing grows.
import { randomInt } from 'node:crypto';
import { createInspector, type Inspected } from './load-inspect.ts';
import { openFiles, type Program, residentMegabytes, startServer, temporaryFolder } from './processes.ts';
import { createRandom } from './random.ts';
import { type Findings, number, type Target } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { SoakActor } from './soak-actor.ts';
import { SoakBook } from './soak-book.ts';
import type { SoakWorld } from './soak-chats.ts';
import { SoakClient } from './soak-client.ts';
import { startSoakEngine } from './soak-engine.ts';
import { median } from './statistics.ts';

const ACTORS = 64;
/** Everything has happened once, and what is made at first use is there. */
const WARM_UP_SECONDS = 3;
/** Looks at memory and handles in each third that counts. */
const SAMPLES = 8;
/** Nothing may take longer once nobody asks for anything: the deadlines of the engine are below. */
const SETTLE_MS = 20_000;
const MOST_GROWTH = 0.1;
/** Findings that are printed; the rest is counted. */
const SHOWN_FINDINGS = 12;

const SERVER_ENV = {
  MOCHI_MAX_CONCURRENT_TURNS: '32',
  MOCHI_FIRST_TOKEN_TIMEOUT_SECONDS: '3',
  MOCHI_IDLE_TIMEOUT_SECONDS: '1',
  MOCHI_ENGINE_INFO_TIMEOUT_SECONDS: '1',
};

interface SoakPlan {
  readonly seconds: number;
  readonly seed: number;
}

/** What is open and what is held, at one moment. */
interface Sample {
  readonly liveMegabytes: number;
  readonly residentMegabytes: number;
  readonly files: number;
  readonly timers: number;
  readonly sockets: number;
}

interface Rest extends Sample {
  readonly engineSockets: number;
}

interface Soaked {
  readonly plan: SoakPlan;
  readonly world: SoakWorld;
  /** Before and after, when nobody asks for anything. */
  readonly atRest: readonly [before: Rest, after: Rest];
  readonly warm: readonly Sample[];
  readonly last: readonly Sample[];
  readonly activeTurns: number;
  readonly lost: readonly string[];
  readonly faults: readonly string[];
  readonly exitStatus: number | null;
}

export async function measureSoak({ server: kind, say, ...options }: BenchOptions): Promise<Findings> {
  const plan = {
    seconds: options.seconds ?? (options.isQuick ? 12 : 60),
    seed: options.seed ?? randomInt(1_000_000),
  };
  say(`seed ${plan.seed}`);
  const dataDir = temporaryFolder();
  const engine = await startSoakEngine(plan.seed);
  const inspector = await createInspector();
  const server = await startServer({
    kind,
    dataDir,
    ollamaUrl: engine.ollama.url,
    env: { ...inspector.env, ...SERVER_ENV },
  });
  const inspected = await inspector.connect();
  const book = new SoakBook();
  let count = 0;
  const world: SoakWorld = {
    client: new SoakClient(server.url),
    book,
    engine,
    done: new Map(),
    nextNumber: () => ++count,
  };
  const sample = () => takeSample(server, inspected);
  const rest = () => settle(world, sample);

  await operate(world, { seed: plan.seed, seconds: WARM_UP_SECONDS });
  const before = await rest();
  const [warm, last]: Sample[][] = [[], []];
  const sabotage = engine.startSabotage();
  const third = (plan.seconds * 1000) / 3;
  await Promise.all([
    operate(world, { seed: plan.seed + 1, seconds: plan.seconds }),
    sampleEvery(third / SAMPLES, { from: third, sample, into: warm ?? [] }),
    sampleEvery(third / SAMPLES, { from: 2 * third, sample, into: last ?? [] }),
  ]);
  await sabotage.stop();
  const after = await rest();
  const activeTurns = await countActiveTurns(world);
  world.client.close();
  inspected.close();
  const exitStatus = await server.stop();
  await engine.ollama.close();
  return toFindings({
    plan,
    world,
    atRest: [before, after],
    warm: warm ?? [],
    last: last ?? [],
    activeTurns,
    ...(await book.broken(dataDir)),
    exitStatus,
  });
}

/** Many actors for a while; what each one had begun is finished. */
async function operate(world: SoakWorld, plan: SoakPlan): Promise<void> {
  const stopped = AbortSignal.timeout(plan.seconds * 1000);
  const actors = Array.from({ length: ACTORS }, (_, index) => {
    return new SoakActor(world, createRandom(plan.seed * 1000 + index));
  });
  await Promise.all(actors.map((actor) => actor.run(stopped)));
}

async function takeSample(server: Program, inspected: Inspected): Promise<Sample> {
  const live = await inspected.collect();
  const resources = await inspected.resources();
  return {
    liveMegabytes: live / 1024 ** 2,
    residentMegabytes: residentMegabytes(server) ?? Number.NaN,
    files: openFiles(server) ?? Number.NaN,
    timers: resources['Timeout'] ?? 0,
    sockets: resources['TCPSocketWrap'] ?? 0,
  };
}

async function sampleEvery(
  ms: number,
  plan: { readonly from: number; readonly sample: () => Promise<Sample>; readonly into: Sample[] },
): Promise<void> {
  await delay(plan.from);
  for (let taken = 0; taken < SAMPLES; taken += 1) {
    plan.into.push(await plan.sample());
    await delay(ms);
  }
}

/** Closes every connection of the clients, and waits until the server has closed the others and is at rest. */
async function settle(world: SoakWorld, sample: () => Promise<Sample>): Promise<Rest> {
  const until = performance.now() + SETTLE_MS;
  world.client.close();
  for (;;) {
    const engineSockets = world.engine.ollama.openSockets;
    const now = await sample();
    if ((engineSockets === 0 && now.sockets === 0) || performance.now() > until)
      return { ...now, engineSockets };
    await delay(250);
  }
}

async function countActiveTurns({ client }: SoakWorld): Promise<number> {
  const { body } = await client.json({ path: '/sessions?limit=1000' });
  return body.sessions.filter(({ active_turn: turn }: { active_turn: string | null }) => turn !== null)
    .length;
}

function toFindings(soaked: Soaked): Findings {
  const { plan, world, atRest, warm, last } = soaked;
  const [before, after] = atRest;
  const { book, done, engine } = world;
  const problems = [...book.findings, ...soaked.lost, ...soaked.faults];
  const of = (samples: readonly Sample[], key: keyof Sample) => median(samples.map((each) => each[key]));
  const row = (name: string, key: keyof Sample, digits: number) => [
    name,
    ...[before[key], of(warm, key), of(last, key), after[key]].map((value) => number(value, digits)),
  ];
  const states = Object.groupBy(book.ledger.turns.values(), ({ state }) => state ?? 'not seen to its end');
  return {
    columns: ['', 'at rest before', 'second third', 'last third', 'at rest after'],
    rows: [
      row('memory in use, MB', 'liveMegabytes', 1),
      row('resident memory, MB', 'residentMegabytes', 0),
      row('open files', 'files', 0),
      row('timers', 'timers', 0),
      row('sockets', 'sockets', 0),
      ['sockets at the engine', number(before.engineSockets, 0), '', '', number(after.engineSockets, 0)],
    ],
    targets: toTargets(soaked),
    notes: [
      `        seed ${plan.seed}: repeats the choices of all ${ACTORS} clients with \`npm run bench -- --only g --seconds ${plan.seconds} --seed ${plan.seed}\``,
      `        operations: ${listCounts(done)}`,
      `        answers of the engine: ${listCounts(engine.asked)}`,
      `        turns of the sessions that are left: ${listCounts(new Map(Object.entries(states).map(([state, turns = []]) => [state, turns.length])))}`,
      ...problems.slice(0, SHOWN_FINDINGS).map((problem) => `        ! ${problem.slice(0, 500)}`),
    ],
    hasFailed: problems.length > 0 || soaked.activeTurns > 0 || soaked.exitStatus !== 0,
  };
}

function toTargets({ world, atRest, warm, last, ...soaked }: Soaked): Target[] {
  const [before, after] = atRest;
  const none = (name: string, reached: number): Target => ({
    name,
    reached,
    limit: 0,
    bound: 'at most',
    unit: '',
  });
  const growth = (name: string, key: keyof Sample): Target => {
    const from = median(warm.map((each) => each[key]));
    const to = median(last.map((each) => each[key]));
    return {
      name: `growth of ${name} from the second third to the last`,
      reached: (to / from - 1) * 100,
      limit: MOST_GROWTH * 100,
      bound: 'at most',
      unit: ' %',
    };
  };
  return [
    none('lost messages and turns that were acknowledged', soaked.lost.length),
    none('faults in what is stored', soaked.faults.length),
    none('answers that were not as they must be', world.book.findings.length),
    none('turns still active', soaked.activeTurns),
    none('sockets left open', after.sockets + after.engineSockets),
    none('timers left', after.timers - before.timers),
    none('files left open', after.files - before.files),
    none('exit status after SIGTERM', soaked.exitStatus ?? Number.NaN),
    growth('memory in use', 'liveMegabytes'),
    growth('resident memory', 'residentMegabytes'),
  ];
}

function listCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, times]) => `${name} ${number(times, 0)}`).join(', ');
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
