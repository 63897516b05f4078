// The fuse box: opens the store, builds engine, turns and app, and takes them down in the right order.
import type { AddressInfo } from 'node:net';
import { createAgents } from './agents/agents.ts';
import { Approvals } from './approvals/approvals.ts';
import type { LiveTurns } from './chat/live-turns.ts';
import { openTurns } from './chat/open-turns.ts';
import { learnWindows } from './chat/prompt/learn-windows.ts';
import type { LeaseTimes } from './cluster/lease-times.ts';
import { type Config, processEnvironment } from './config.ts';
import type { Engine } from './contract/engine.ts';
import { createSweep } from './dialects/sweep-unlisted.ts';
import { createEngine } from './engines/create-engine.ts';
import { ServerEvents } from './events/server-events.ts';
import { createApp } from './http/app.ts';
import { closeConnections } from './http/connections/close-connections.ts';
import { drain } from './http/connections/drain.ts';
import { timestampNow } from './kit/clock.ts';
import { randomHex } from './kit/ids.ts';
import type { Log } from './kit/log.ts';
import { ModelPulls } from './models/model-pulls.ts';
import { createPresence } from './server/join-others.ts';
import { createPeerDoors } from './server/peer-doors.ts';
import { createBackground, recallModels } from './server/recall-models.ts';
import { shareSlots } from './server/share-slots.ts';
import { takeUp } from './server/take-up.ts';
import { Clearing } from './store/clearing.ts';
import { findExecutionOutput } from './store/list-executions.ts';
import type { Disk } from './store/log-sync.ts';
import { promptFilesOf } from './store/prompt-files-of.ts';
import { openServedStore, type ServedStore } from './store/served-store.ts';
import { tellOthers } from './store/shared-changes.ts';
import type { ReadOutput } from './tools/builtin/read-tool-output.ts';
import { openTools } from './tools/open-tools.ts';
import type { ToolSource } from './tools/tool.ts';
import type { Tools } from './tools/tools.ts';
import { VERSION } from './version.ts';

export interface Server {
  /** What runs models. */
  readonly engine: Engine;
  /** Opens the port. @returns the URL to talk to. @throws what listen throws, such as EADDRINUSE */
  listen(): Promise<string>;
  /** Another number whenever a turn tells something: while it stays the same, nothing is being generated. */
  progress(): number;
  /** Tells who asks at `/readyz` to send nothing more, and serves on as long as the operator says. */
  drain(): Promise<void>;
  /** Stops accepting, lets turns finish for the grace time, closes the rest, then the store. */
  close(): Promise<void>;
}

/** Each group of tools is a process: whoever waits for the port is told before these start. Who needs one starts them. */
const TOOLS_LATER_MS = 100;

/** How long a turn that was stopped waits for a database that is away. */
const LAST_WORDS_MS = 3000;

/** Where ids and times come from. */
const ids = { newId: randomHex, now: timestampNow };

export interface ServerOptions {
  /** Make a database even where one was that is gone. */
  readonly newDatabase?: boolean;
  /** Tools besides those that are found; closed with the server. */
  readonly toolSources?: readonly ToolSource[];
  /** How long it may be away before others take its turns; missing: as is usual. */
  readonly lease?: LeaseTimes | undefined;
  /** What keeps the log of the database; missing: what the system has. */
  readonly disk?: Disk | undefined;
}

/**
 * Everything built, nothing listening yet.
 * @throws StoreOpenError when the data folder cannot be used, ToolConfigError when the operator's rules cannot be read
 */
export async function createServer(config: Config, log: Log, options: ServerOptions = {}): Promise<Server> {
  // Nothing is run before the store is open.
  const readOutput: ReadOutput = (id, sessionId) => findExecutionOutput(store.db, id, sessionId);
  const toolsOptions = { ...config, version: VERSION, readOutput };
  const tools = await openTools(toolsOptions, processEnvironment(), options.toolSources);
  const files = { ...options, ...config, sync: config.sqliteSync };
  const store = await openServedStore(files).catch(async (error: unknown) => {
    await tools.close();
    throw error;
  });
  const engine = await createEngine(config, log).catch(async (error: unknown) => {
    await tools.close();
    await store.leave();
    throw error;
  });
  const approvals = openApprovals({ db: store.db, log, tools, ...ids }, config);
  tellMigration(store, log);
  try {
    const bootId = `boot_${randomHex(12)}`;
    await takeUp({ ...store, log, approvals, bootId, ...ids }, config);
    const planning = await recallModels(store.db, engine, { config, log });
    const engineSlots = shareSlots(store.db, config, log);
    const background = createBackground({ ...planning, engineSlots }, config, log);
    const clearing = new Clearing({ db: store.db, log });
    const { events, pulls } = openEvents(store, engine, log);
    await approvals.start();
    const agents = createAgents({ ...config, tools });
    const doors = { tools, agents, approvals, bootId, ...ids, ...createPeerDoors(store) };
    const turns = openTurns({ ...planning, ...doors, log, background, clearing, engineSlots }, config);
    const sweep = createSweep({ db: store.db, log, turns, unlistedDays: config.unlistedDays });
    const app = await createApp(
      {
        ...storeDoors(store, turns),
        ...doors,
        engine,
        turns,
        events,
        pulls,
        mcpServers: tools.mcpServers,
        defaultModel: config.defaultModel,
        promptFiles: promptFilesOf(store.db, config.systemPromptsDir),
        learnWindows: () => learnWindows(planning),
        version: VERSION,
      },
      appOptions(config, log),
    );
    // Last: nothing that can fail follows, and it runs from now on.
    const tending = store.tend(log);
    const presence = createPresence({ ...options, ...doors, store, log, turns, events, engineSlots, config });
    let looking: NodeJS.Timeout | undefined;
    return {
      engine,
      progress: turns.progress,
      async listen() {
        await presence.start();
        await app.listen({ host: config.host, port: config.port });
        looking = setTimeout(() => void findTools(tools, log), TOOLS_LATER_MS);
        for (const part of [background, clearing, sweep]) part.start();
        return presence.serves(urlOf(app.server.address(), config));
      },
      drain: () => drain(app.server, turns.intake, config.drainSeconds),
      async close() {
        clearTimeout(looking);
        // The port closes at once; the connections that are answered stay until their turn has ended.
        const appClosed = app.close();
        const quiet = Promise.all([background.close(), pulls.close(), sweep.close()]);
        await closeTurns(turns, store, config);
        approvals.close();
        await quiet;
        events.close();
        await clearing.close();
        await closeConnections(app.server, appClosed);
        await closeAll([presence, tools, engine, tending, store]);
      },
    };
  } catch (error) {
    approvals.close();
    await tools.close();
    await engine.close();
    await store.leave();
    throw error;
  }
}

async function closeTurns(turns: LiveTurns, store: ServedStore, config: Config): Promise<void> {
  const graceMs = config.shutdownGraceSeconds * 1000;
  const hurry = setTimeout(store.hurry, graceMs + LAST_WORDS_MS);
  await turns.close(graceMs);
  clearTimeout(hurry);
}

/** One after the other. */
async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of parts) await part.close();
}

function tellMigration({ migrationMs }: ServedStore, log: Log): void {
  const seconds = Math.round(migrationMs / 100) / 10;
  if (seconds > 1) log.info({ seconds }, 'the database was brought up to date');
}

function openApprovals(
  doors: Omit<ConstructorParameters<typeof Approvals>[0], 'confirmTimeoutMs'>,
  { confirmTimeoutSeconds: seconds }: Config,
): Approvals {
  return new Approvals({ ...doors, confirmTimeoutMs: seconds === 0 ? null : seconds * 1000 });
}

function appOptions(config: Config, log: Log) {
  return {
    access: config,
    maxBodyBytes: config.maxBodyBytes,
    webEnabled: config.webEnabled,
    dialects: config.dialects,
    modelAliases: config.modelAliases,
    unlistedDays: config.unlistedDays,
    requestTimeoutMs: config.requestTimeoutSeconds * 1000,
    log,
  };
}

function urlOf(address: AddressInfo | string | null, { host }: Config): string {
  // Listening on a host and a port, so the address is never a pipe's name.
  const { port } = address as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Tools that cannot be used hide nothing else, so that nobody would notice: they are told. */
async function findTools(tools: Tools, log: Log): Promise<void> {
  tools.start();
  await tools.ready();
  for (const { source, message } of tools.registry().problems) log.warn({ source }, message);
}

function storeDoors({ db, openSnapshot, refuseTrouble }: ServedStore, { intake }: LiveTurns) {
  return {
    db,
    openSnapshot,
    refuseTrouble: () => {
      intake.refuseProbe();
      return refuseTrouble();
    },
  };
}

/** What happens to sessions, turns and pulls, noted from now on. */
function openEvents({ db, onChange }: ServedStore, engine: Engine, log: Log) {
  const events = new ServerEvents({
    db,
    log,
    version: VERSION,
    pulls: () => pulls.running,
    firstId: Date.now(),
  });
  const pulls = new ModelPulls(engine, (pull) => events.notePull(pull));
  onChange({
    changed(changes) {
      events.noteStore(changes);
      tellOthers(db, changes);
    },
    othersWrote: () => events.noteUnknown(),
  });
  return { events, pulls };
}
