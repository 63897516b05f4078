// kill -9 at random moments of streams, tool steps, edits, cancellations and forks: data folders are cut off in the middle
// of something, started again and looked through, each with the promises of all its lives.
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { type RunningCommand, startCommand } from '../support/spawned-server.ts';
import { createClient, type TestClient } from '../support/test-client.ts';
import { expectWhole } from './after-restart.ts';
import { crashRuns, crashTimeout } from './crash-runs.ts';
import { Ledger } from './ledger.ts';
import { behave, MixedLoad, MODEL } from './mixed-load.ts';

const FOLDERS = 25;
const KILLS = crashRuns(1);
/** Events and answers that a process sends before it is killed: counted, so that a slow machine does as much. */
const LONGEST_LIFE = 1500;
/** Of the first one: what is looked for afterwards must have been promised before. */
const SHORTEST_FIRST_LIFE = 500;

interface Folder {
  readonly dataDir: string;
  readonly ledger: Ledger;
}

let ollama: FakeOllama;
const dataDirs: string[] = [];
const processes: RunningCommand[] = [];
beforeAll(async () => {
  ollama = await startFakeOllama({ models: [MODEL] });
  ollama.setDefault(behave);
});
afterAll(async () => {
  // That of a test that failed still runs.
  for (const process of processes) await process.kill('SIGKILL');
  await ollama.close();
  for (const dataDir of dataDirs) await rm(dataDir, { recursive: true, force: true });
});

async function newFolder(): Promise<Folder> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-crash-'));
  dataDirs.push(dataDir);
  return { dataDir, ledger: new Ledger() };
}

async function start(
  folders: readonly Folder[],
): Promise<{ process: RunningCommand; clients: TestClient[] }> {
  const paths = folders.map(({ dataDir }) => dataDir);
  const process = startCommand([ollama.url, ...paths], { bin: 'test/turns-crash/several-servers.ts' });
  processes.push(process);
  const [, urls = ''] = await process.printed('stdout', /ready (\[.*\])/);
  return { process, clients: JSON.parse(urls).map((url: string) => createClient(() => url)) };
}

/** Kills the process in the middle of a load on each of its folders. */
async function live(process: RunningCommand, clients: readonly TestClient[], folders: readonly Folder[]) {
  const isFirst = folders.every(({ ledger }) => ledger.messages.size === 0);
  let left = randomInt(isFirst ? SHORTEST_FIRST_LIFE : 1, LONGEST_LIFE);
  const loads: MixedLoad[] = [];
  const onAnswer = () => {
    left -= 1;
    if (left !== 0) return;
    for (const load of loads) load.expectKill();
    void process.kill('SIGKILL');
  };
  for (const [index, { ledger }] of folders.entries()) {
    loads.push(new MixedLoad(clients[index] as TestClient, ledger, onAnswer));
  }
  await Promise.all(loads.map((load) => load.run()));
  const end = await process.exited;
  expect([end.signal, end.stderr]).toEqual(['SIGKILL', '']);
  ollama.requests.splice(0);
}

it(`loses nothing that was promised, killed ${KILLS} times on ${FOLDERS} folders`, {
  timeout: crashTimeout(180_000),
}, async () => {
  const folders = await Promise.all(Array.from({ length: FOLDERS }, newFolder));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const { process, clients } = await start(folders);
    for (const [index, { dataDir, ledger }] of folders.entries()) {
      const client = clients[index] as TestClient; // one URL was printed for each folder
      await expectWhole(client, dataDir, ledger);
      while (ledger.sessions.size < 2) ledger.sessions.add(await client.createSession({ model: MODEL.name }));
    }
    await live(process, clients, folders);
  }
  const { process, clients } = await start(folders);
  for (const [index, { dataDir, ledger }] of folders.entries()) {
    await expectWhole(clients[index] as TestClient, dataDir, ledger);
  }
  await process.kill('SIGKILL');
  expect(folders.flatMap(({ ledger }) => [...ledger.messages]).length).toBeGreaterThan(FOLDERS);
});
