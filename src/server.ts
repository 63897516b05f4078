// The fuse box: opens the store, builds engine, turns and app, and takes them down in the right order.
import type { AddressInfo } from 'node:net';
import { createAgents } from './agents/agents.ts';
import { createEngineLine } from './chat/line/engine-line.ts';
import { LiveTurns } from './chat/live-turns.ts';
import type { PlanDeps } from './chat/prompt/ask-window.ts';
import { learnWindows } from './chat/prompt/learn-windows.ts';
import { createModelRates } from './chat/prompt/model-rates.ts';
import { readConversation } from './chat/prompt/read-conversation.ts';
import { recallWindows } from './chat/prompt/recall-windows.ts';
import { closeImportedTurns, recoverTurns } from './chat/recover-turns.ts';
import { Checkpoints } from './chat/step/checkpoints.ts';
import { type Config, processEnvironment } from './config.ts';
import type { Engine } from './contract/engine.ts';
import { createEngine } from './engines/create-engine.ts';
import { ServerEvents } from './events/server-events.ts';
import { createApp } from './http/app.ts';
import { closeConnections } from './http/connections/close-connections.ts';
import { timestampNow } from './kit/clock.ts';
import { randomHex } from './kit/ids.ts';
import type { Log } from './kit/log.ts';
import { ModelPulls } from './models/model-pulls.ts';
import { Clearing } from './store/clearing.ts';
import type { Db } from './store/database.ts';
import { Erasure } from './store/erasure.ts';
import { openSnapshot } from './store/open-snapshot.ts';
import { openStore, type Store } from './store/open-store.ts';
import { listRecentAnswers } from './store/recent-answers.ts';
import { watchDatabase } from './store/rescue-database.ts';
import { listTokenRatios } from './store/token-ratios.ts';
import { BackgroundJobs } from './summaries/background-jobs.ts';
import { openTools } from './tools/open-tools.ts';
import type { ToolSource } from './tools/tool.ts';
import type { Tools } from './tools/tools.ts';
import { importOnFirstStart } from './transfer/import-on-first-start.ts';
import { VERSION } from './version.ts';
import { createAnswerLengths } from './window/answer-lengths.ts';
import { createLoadFailures } from './window/load-failures.ts';
import { createModelWindows } from './window/model-windows.ts';
import { createTokenRatios } from './window/token-ratios.ts';

export interface Server {
  /** What runs models. */
  readonly engine: Engine;
  /** Opens the port. @returns the URL to talk to. @throws what listen throws, such as EADDRINUSE */
  listen(): Promise<string>;
  /** Stops accepting, lets turns finish for the grace time, closes the rest, then the store. */
  close(): Promise<void>;
}

/** Where ids and times come from. */
const ids = { newId: randomHex, now: timestampNow };

export interface ServerOptions {
  /** Make a database even where one was that is gone. */
  readonly newDatabase?: boolean;
  /** Tools besides those that are found; closed with the server. */
  readonly toolSources?: readonly ToolSource[];
}

/**
 * Everything built, nothing listening yet.
 * @throws StoreOpenError when the data folder cannot be used, ToolConfigError when the operator's rules cannot be read
 */
export async function createServer(config: Config, log: Log, options: ServerOptions = {}): Promise<Server> {
  const tools = await openTools({ ...config, version: VERSION }, processEnvironment(), options.toolSources);
  const store = await openStore({ ...options, dataDir: config.dataDir, exclusive: true }).catch(
    async (error: unknown) => {
      await tools.close();
      throw error;
    },
  );
  const engine = await createEngine(config, log).catch(async (error: unknown) => {
    await tools.close();
    await store.leave();
    throw error;
  });
  const migrationSeconds = Math.round(store.migrationMs / 100) / 10;
  if (migrationSeconds > 1) log.info({ seconds: migrationSeconds }, 'the database was brought up to date');
  try {
    await takeUp(store.db, config, log);
    const planning = await recallModels(store.db, engine, config);
    const background = createBackground(planning, config, log);
    const clearing = new Clearing({ db: store.db, log });
    const { events, pulls } = openEvents(store, engine, log);
    const turns = createTurns({ ...planning, log, background, clearing, tools, ...ids }, config);
    const app = await createApp(
      {
        ...storeDoors(store, config),
        engine,
        turns,
        events,
        pulls,
        tools,
        mcpServers: tools.mcpServers,
        agents: createAgents({ ...config, tools }),
        defaultModel: config.defaultModel,
        promptFolder: config.systemPromptsDir,
        learnWindows: () => learnWindows(planning),
        version: VERSION,
        ...ids,
      },
      appOptions(config, log),
    );
    // Last: nothing that can fail follows, and it runs from now on.
    const tending = tendDatabase(store, log);
    return {
      engine,
      async listen() {
        await app.listen({ host: config.host, port: config.port });
        background.start();
        tools.start();
        void tools.ready().then(() => tellProblems(tools, log));
        clearing.start();
        return urlOf(app.server.address(), config);
      },
      async close() {
        // The port closes at once; the connections that are answered stay until their turn has ended.
        const appClosed = app.close();
        const quiet = background.close();
        const stopped = pulls.close();
        await turns.close(config.shutdownGraceSeconds * 1000);
        await quiet;
        await stopped;
        events.close();
        await clearing.close();
        await closeConnections(app.server, appClosed);
        await tools.close();
        await engine.close();
        await tending.close();
        await store.close();
      },
    };
  } catch (error) {
    await tools.close();
    await engine.close();
    await store.leave();
    throw error;
  }
}

function appOptions(config: Config, log: Log) {
  return {
    access: config,
    maxBodyBytes: config.maxBodyBytes,
    requestTimeoutMs: config.requestTimeoutSeconds * 1000,
    log,
  };
}

function urlOf(address: AddressInfo | string | null, { host }: Config): string {
  // Listening on a host and a port, so the address is never a pipe's name.
  const { port } = address as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Tools that cannot be used hide nothing else, so that nobody would notice. */
function tellProblems(tools: Tools, log: Log): void {
  for (const { source, message } of tools.registry().problems) log.warn({ source }, message);
}

type TurnDoors = Omit<
  ConstructorParameters<typeof LiveTurns>[0],
  'modelRates' | 'engineLine' | 'stallMs' | 'checkpoints' | 'maxSteps' | 'toolLimits' | 'rescuesCalls'
>;

function createTurns(doors: TurnDoors, config: Config): LiveTurns {
  return new LiveTurns(
    {
      ...doors,
      ...askingSettings(config),
      checkpoints: new Checkpoints(doors.db),
      maxSteps: config.maxToolIterations,
      toolLimits: { maxParallel: config.maxParallelTools, resultCharacters: config.toolResultChars },
      rescuesCalls: config.toolCallRescue,
    },
    { maxRunning: config.maxConcurrentTurns, maxQueued: config.maxQueuedTurns },
  );
}

/** What happens to sessions, turns and pulls, noted from now on. */
function openEvents({ db, onChange }: Store, engine: Engine, log: Log) {
  const events = new ServerEvents({
    db,
    log,
    version: VERSION,
    pulls: () => pulls.running,
    firstId: Date.now(),
  });
  const pulls = new ModelPulls(engine, (pull) => events.notePull(pull));
  onChange({
    changed: (changes) => events.noteStore(changes),
    othersWrote: () => events.noteUnknown(),
  });
  return { events, pulls };
}

/** What goes on beside the requests: for as long as the store is open. */
function tendDatabase(store: Store, log: Log): { close(): Promise<void> } {
  const watch = watchDatabase(store, log);
  const erasure = new Erasure(store, log);
  erasure.start();
  return {
    async close() {
      await erasure.close();
      await watch.close();
    },
  };
}

function storeDoors({ db, guard }: Store, { dataDir }: Config) {
  const refuseLoss = () => guard.refuseLoss();
  const openOwnSnapshot = async () => {
    // Opened by its name, under which there may be another one meanwhile.
    refuseLoss();
    return openSnapshot(dataDir);
  };
  return { db, refuseLoss, openSnapshot: openOwnSnapshot };
}

/** What plans are made with: what is known of the models, from what was stored and sent before. */
async function recallModels(db: Db, engine: Engine, config: Config) {
  const now = () => performance.now();
  const modelWindows = createModelWindows(now);
  await recallWindows(db, modelWindows);
  return {
    db,
    engine,
    answerLengths: createAnswerLengths(await listRecentAnswers(db)),
    loadFailures: createLoadFailures(now, () => engine.departures?.() ?? 0),
    modelWindows,
    tokenRatios: createTokenRatios(await listTokenRatios(db)),
    windowPolicy: windowPolicyOf(config),
  };
}

function windowPolicyOf(config: Config) {
  return {
    dynamicEnabled: config.dynamicContextWindowEnabled,
    firstWindow: config.firstContextWindow,
    maxWindow: config.maxContextWindow,
  };
}

function createBackground(
  planning: PlanDeps & { readonly engine: Engine },
  config: Config,
  log: Log,
): BackgroundJobs {
  const { db, engine } = planning;
  return new BackgroundJobs(
    {
      db,
      engine,
      log,
      isBackground: true,
      readConversation: (question) => readConversation(planning, question),
    },
    {
      summaries: config.summarizationEnabled,
      titles: config.titlesEnabled,
      minBillions: config.summaryMinBillions,
    },
  );
}

/** How the engine is asked, and how patiently. */
function askingSettings(config: Config) {
  return {
    modelRates: createModelRates(),
    engineLine: createEngineLine({ parallel: config.engineParallel, clock: () => performance.now() }),
    stallMs: config.engineStallSeconds === 0 ? null : config.engineStallSeconds * 1000,
  };
}

/** What the last run left open, and what the original left in the folder. */
async function takeUp(db: Db, config: Config, log: Log): Promise<void> {
  const closed = await recoverTurns({ db, ...ids });
  if (closed > 0) log.warn({ turns: closed }, 'turns of the last run were closed as interrupted');
  await importOnFirstStart({
    db,
    ...ids,
    openSnapshot: () => openSnapshot(config.dataDir),
    closeTurns: (transaction, sessionId) => closeImportedTurns({ db: transaction, ...ids }, sessionId),
    folder: config.sessionsDir,
    log,
  });
}
