// `mochi-server doctor`: what was found, whether it will do, and what to do next.
import { join } from 'node:path';
import { isMochiError } from '../client/index.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../contract/engine.ts';
import { MochiError } from '../contract/errors.ts';
import { createEngine } from '../engines/create-engine.ts';
import { findBinding } from '../engines/embedded/find-binding.ts';
import { installCommand } from '../engines/embedded/install-binding.ts';
import { openModelsFolder } from '../engines/embedded/models-folder.ts';
import { createLog } from '../kit/log.ts';
import { redactUrl } from '../kit/redact-url.ts';
import { showLine } from '../kit/show-controls.ts';
import { VERSION } from '../version.ts';
import { ExitError } from './command.ts';
import { describeDatabase } from './doctor-database.ts';
import { examineTools } from './doctor-tools.ts';
import type { Finding } from './finding.ts';
import { loadedInServer, pullCommand } from './models.ts';
import { ASKED_ONCE, connectServer, serveCommand } from './server-client.ts';
import { say } from './terminal.ts';

const MARKS = { ok: 'ok  ', note: '    ', bad: 'BAD ' } as const;

export async function examine(config: Config): Promise<void> {
  const { findings: databases, isServed } = await describeDatabase(config);
  const server = await checkServer(config);
  const { state, text } = server;
  const isStartNoHelp =
    databases.some(({ state: found }) => found === 'bad') || (isServed && server.state === 'note');
  const findings: readonly Finding[] = [
    { state: 'ok', text: `mochi-server ${VERSION}, Node ${process.versions.node}, configuration is valid` },
    ...databases,
    // A start would be refused: first things first. Or the database has servers, and none is missing here.
    isStartNoHelp ? { state, text } : server,
    ...(await checkEngines(config)),
    ...(await examineTools(config)),
  ];
  for (const { state, text } of findings) say(`${MARKS[state]}${showLine(text)}\n`);
  const steps = findings.flatMap(({ next }) => next ?? []);
  if (findings.some(({ state, next }) => state === 'bad' && next === undefined))
    steps.push('Mend what the lines with BAD say.');
  say(steps.length === 0 ? '\nNothing to do.\n' : '\nWhat to do next:\n');
  for (const step of steps) say(`  - ${step}\n`);
  if (findings.some(({ state }) => state === 'bad')) throw new ExitError(1);
}

async function checkServer(config: Config): Promise<Finding> {
  const { baseUrl: url, health } = connectServer(config, undefined, ASKED_ONCE);
  try {
    const { version } = await health();
    return { state: 'ok', text: `Server: ${version} runs at ${url}` };
  } catch (error) {
    if (isMochiError(error) && error.status !== null) {
      return { state: 'bad', text: `Server: ${url} answers, but: ${error.message}`, next: 'Check the keys.' };
    }
    return {
      state: 'note',
      text: `Server: none runs at ${url}`,
      next: `Start the server: ${serveCommand(config)}`,
    };
  }
}

async function checkEngines(config: Config): Promise<Finding[]> {
  const engine = await createEngine(config, createLog({ level: 'fatal', format: config.logFormat }));
  try {
    const { reachable, version, problem } = await engine.health();
    const isOllama = engine.name === 'ollama';
    const state = reachable ? 'ok' : 'bad';
    const said = reachable ? `version ${version ?? 'unknown'}` : faultOf(problem);
    const advice = isOllama ? ollamaAdvice(config, problem) : embeddedAdvice(config);
    const chosen: Finding = {
      state: !isOllama && !reachable && config.downloadsEnabled ? 'note' : state,
      text: `Engine: ${engine.name} (--engine ${config.engine}), ${engine.address}: ${said}`,
      ...(!reachable && { next: advice }),
    };
    const embedded = isOllama ? [] : [await checkEmbedded(config)];
    const models = isOllama && !reachable ? [] : await checkModels(config, engine);
    return [chosen, ...embedded, ...models];
  } finally {
    await engine.close();
  }
}

function faultOf(problem: MochiError | undefined): string {
  return problem === undefined || isRefused(problem) ? 'is not there' : problem.message;
}

function isRefused({ details }: MochiError): boolean {
  return details['cause'] === 'refused';
}

function ollamaAdvice({ ollamaHost }: Config, problem: MochiError | undefined): string {
  const isThere = problem !== undefined && !isRefused(problem);
  const first = isThere ? 'Mend what the line about the engine says' : 'Start Ollama';
  return `${first}, or name it with MOCHI_OLLAMA_HOST (now ${redactUrl(ollamaHost)}), or use --engine embedded.`;
}

function embeddedAdvice({ dataDir, downloadsEnabled }: Config): string {
  const command = installCommand(dataDir);
  if (command === null) return 'There are no binaries of the embedded engine for this machine: run Ollama.';
  return downloadsEnabled
    ? `The first start fetches the embedded engine (85 MB). By hand: ${command}`
    : `Fetching is switched off. By hand: ${command}`;
}

async function checkEmbedded(config: Config): Promise<Finding> {
  const binding = await findBinding(config.dataDir);
  const folder = openModelsFolder(join(config.dataDir, 'models'));
  const free = Math.round(process.availableMemory() / 1_048_576);
  const where = binding === null ? 'not installed' : `node-llama-cpp ${binding.version}`;
  return {
    state: 'note',
    text: `Embedded engine: ${where}; models in ${folder.path}; ${free} MB of memory are free`,
  };
}

async function checkModels(config: Config, engine: Engine): Promise<Finding[]> {
  const models = await engine.listModels().catch(asMochiError);
  if (models instanceof MochiError) return [{ state: 'bad', text: `Models: ${models.message}` }];
  if (models.length === 0) {
    return [{ state: 'note', text: 'Models: none', next: `Fetch one: ${pullCommand(engine)}` }];
  }
  const loaded = (await loadedInServer(config)) ?? [];
  const names = models.map(({ name }) => name).join(', ');
  return [
    { state: 'ok', text: `Models: ${names}` },
    ...loaded.map(
      ({ model, window }): Finding => ({
        state: 'ok',
        text: `In memory: ${model}, window ${window ?? 'unknown'} tokens`,
      }),
    ),
  ];
}

function asMochiError(error: unknown): MochiError {
  if (error instanceof MochiError) return error;
  throw error;
}
