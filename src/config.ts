// Command line over environment over default, read once into one frozen object.
import { resolve } from 'node:path';
import type { Setting } from './config/setting.ts';
import { flagName, flagUsage, shownDefault, variableName } from './config/setting-names.ts';
import { type Config, settings } from './config/settings.ts';
import { unknownVariables } from './config/unknown-variables.ts';
import { isLoopbackHost } from './kit/loopback.ts';

export { databaseUrlFault } from './config/database-settings.ts';
export type { Config } from './config/settings.ts';

interface ConfigSources {
  /** By key of `Config`, as commander names them; `true` for a switch. */
  readonly flags?: Readonly<Record<string, string | true | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

type LoadedConfig =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly warnings: readonly string[] };

/** Undefined: the given text was not as expected. */
type ReadValues = { readonly [Key in keyof Config]: Config[Key] | undefined };

/**
 * Reads every setting and reports all problems at once.
 * Neither problems nor warnings ever repeat a value: it may be a secret.
 */
export function loadConfig({ flags = {}, env = process.env }: ConfigSources = {}): LoadedConfig {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const given = givenText(key, setting, { flags, env });
    values[key] = given === undefined ? setting.default : setting.parser.parse(given.text);
    if (given !== undefined && values[key] === undefined) {
      problems.push(`${given.name} must be ${setting.parser.expected}.`);
    }
  }
  // The type of the table ties the parser and the default of each key to its type in Config.
  const read = values as ReadValues;
  problems.push(...exposureProblems(read));
  const warnings = [...unknownVariables(env), ...quotedVariables(env)];
  if (problems.length > 0) return { ok: false, problems, warnings };
  // No problem: every value is there.
  return { ok: true, config: freeze(withAbsolutePaths(read as Config)), warnings };
}

/** Everything that the server was started with: what is started by it gets a part. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Shells take quotes off a value, readers of env files often do not: it is then another one than was meant. */
function quotedVariables(env: Required<ConfigSources>['env']): readonly string[] {
  return Object.keys(settings)
    .map(variableName)
    .filter((name) => /^(["'`]).*\1$/s.test(env[name]?.trim() ?? ''))
    .map((name) => `${name} has quotes around its value, which are taken as part of it: leave them out.`);
}

/** The options for commander: no defaults in them, so that only what was typed counts as a flag. */
export function cliOptions(): readonly { readonly flags: string; readonly description: string }[] {
  return Object.entries(settings).flatMap(([key, setting]) => {
    const flags = flagUsage(key, setting);
    const defaultText = shownDefault(setting);
    const source = variableName(key) + (defaultText === undefined ? '' : `, default ${defaultText}`);
    return flags === undefined ? [] : [{ flags, description: `${setting.description} (${source})` }];
  });
}

function givenText(key: string, setting: Setting<unknown>, { flags, env }: Required<ConfigSources>) {
  const flag = setting.flag === 'none' ? undefined : flags[key];
  if (flag !== undefined) return { name: flagName(key), text: String(flag).trim() };
  const name = variableName(key);
  const text = env[name]?.trim();
  return text ? { name, text } : undefined;
}

/** A value that could not be read has its own problem already, and says nothing about exposure. */
function exposureProblems({ host, apiKeys, allowUnauthenticated }: ReadValues): readonly string[] {
  if (host === undefined || isLoopbackHost(host)) return [];
  if (apiKeys?.length !== 0 || allowUnauthenticated !== false) return [];
  return [
    '--host (MOCHI_HOST) lets other machines in, but there are no API keys: set MOCHI_API_KEYS, ' +
      'use --host 127.0.0.1, or let everyone in with --allow-unauthenticated ' +
      '(MOCHI_ALLOW_UNAUTHENTICATED=true).',
  ];
}

function withAbsolutePaths(config: Config): Config {
  const dataDir = resolve(config.dataDir);
  return {
    ...config,
    dataDir,
    sessionsDir: resolve(dataDir, config.sessionsDir),
    systemPromptsDir: resolve(dataDir, config.systemPromptsDir),
    toolsDir: resolve(dataDir, config.toolsDir),
    toolPolicy: resolve(dataDir, config.toolPolicy),
    mcpConfig: resolve(dataDir, config.mcpConfig),
    agentChatsDir: resolve(dataDir, config.agentChatsDir),
    planningPromptPath: resolve(dataDir, config.planningPromptPath),
    executionPromptPath: resolve(dataDir, config.executionPromptPath),
    agentsDir: resolve(dataDir, config.agentsDir),
    filesDir: config.filesDir === null ? null : resolve(dataDir, config.filesDir),
  };
}

/** Lists are the only values that are not primitive. */
function freeze(config: Config): Config {
  for (const value of Object.values(config)) Object.freeze(value);
  return Object.freeze(config);
}
